"""From a recipe to what serves it: which parts go together, and the one place that knows them all.

A quantiser is a module with quantise(job, model) -> notes and restore(job, model) -> model; a compiler
one with prepare(job, model) -> notes and load(job, model) -> (module, notes). They are imported when
asked for.
"""

import importlib
from typing import TYPE_CHECKING, Any

from .protocol import EngineError, Job, Recipe

if TYPE_CHECKING:
    from .model import LoadedModel

_EXPORTED = "static_export"

# By quantisation: the file that applies it, and the pairs of capture and compiler that it is for.
QUANTISERS: dict[str, tuple[str, set[tuple[str, str]]]] = {
    "plain": ("plain", {("none", "eager")}),
    "quanto": ("quanto", {("none", "eager")}),
    "pt2e_float": ("pt2e", {("export", "eager"), ("export", "inductor")}),
    "pt2e_integer": ("pt2e", {("export", "eager"), ("export", "inductor")}),
    "fx_int8": ("fx_quantisation", {("none", "eager")}),
    "fx_simulated": ("fx_quantisation", {("none", "eager")}),
    "torchao_int4": ("torchao_int4", {("none", "eager"), ("none", "inductor")}),
    "x86_int8": ("pt2e", {("export", "aot_inductor")}),
    "static_int8": ("onnx_graph", {("none", "onnxruntime"), ("none", "openvino")}),
    "dynamic_int8": ("onnx_graph", {("none", "onnxruntime"), ("none", "openvino")}),
}

# By compiler: the captures that it takes.
CAPTURES = {
    "eager": {"none", "export"},
    "inductor": {"none", "export"},
    "torchscript": {"trace", "script"},
    "aot_inductor": {"export"},
    "onnxruntime": {"none", "dynamo_onnx"},
    "openvino": {"none"},
    "onnxruntime_wide": {"none"},
    "onnx_reference": {"none"},
}

# By which an ONNX file itself is computed in float64 (widened.py): references, not arms.
WIDENED = {"onnxruntime_wide", "onnx_reference"}

# By compiler, for those that another engine runs: the file whose prepare(job) leaves what it loads.
PREPARED_FOR_OTHERS = {
    "aot_inductor": "aot_inductor",
    "onnxruntime": "onnx_graph",
    "openvino": "onnx_graph",
}

# Their tensors refuse inference mode: what is computed in it may not be changed in place later.
_NO_INFERENCE_MODE = {"quanto", "torchao_int4"}


def check(recipe: Recipe) -> None:
    """Raises EngineError for a combination that no file here serves."""
    if recipe.compiler not in CAPTURES:
        raise EngineError(
            "unsupported",
            f"the pytorch engine has no compiler '{recipe.compiler}'",
            f"it has {', '.join(CAPTURES)}",
        )
    pair = (recipe.capture, recipe.compiler)
    if recipe.capture not in CAPTURES[recipe.compiler]:
        raise _not_together(f"capture '{recipe.capture}' with compiler '{recipe.compiler}'")
    if recipe.quantisation not in {"", *QUANTISERS}:
        raise EngineError(
            "unsupported",
            f"the pytorch engine has no quantisation '{recipe.quantisation}'",
            f"it has {', '.join(QUANTISERS)}",
        )
    if recipe.quantisation and pair not in QUANTISERS[recipe.quantisation][1]:
        raise _not_together(f"quantisation '{recipe.quantisation}' with {' and '.join(pair)}")
    if recipe.quantisation and (recipe.autocast or recipe.channels_last):
        raise _not_together(f"quantisation '{recipe.quantisation}' with autocast or channels_last")
    if recipe.decompose and recipe.capture != "export":
        raise _not_together(f"decompose with capture '{recipe.capture}'")
    if recipe.freezing and recipe.compiler not in ("aot_inductor", "torchscript"):
        raise _not_together(f"freezing with compiler '{recipe.compiler}'")


def needs_preparation(recipe: Recipe) -> bool:
    return recipe.compiler != "eager" or recipe.capture != "none" or bool(recipe.quantisation)


def quantise(job: Job, model: "LoadedModel") -> list[str]:
    """Applies what stands before the compiler and leaves it below the artifact."""
    from . import pt2e, static_export

    quantisation, notes, module = job.recipe.quantisation, [], model.module
    if quantisation and job.recipe.capture == "none":
        return _file(QUANTISERS[quantisation][0]).quantise(job, model)
    if job.recipe.capture == "export":
        if quantisation:
            module, notes = pt2e.quantise(job, model)
        program = static_export.capture(module, model)
        if quantisation:
            notes.append(pt2e.share_note(job, program))
        static_export.keep(job, static_export.decomposed(job, program))
    return notes


def restore(job: Job, model: "LoadedModel") -> "LoadedModel":
    """The model with what `quantise` left."""
    if job.recipe.capture == "export":
        return _file(_EXPORTED).restore(job, model)
    if job.recipe.quantisation:
        return _file(QUANTISERS[job.recipe.quantisation][0]).restore(job, model)
    return model


def compiler(job: Job) -> Any:
    return _file(PREPARED_FOR_OTHERS.get(job.recipe.compiler, job.recipe.compiler))


def guard(recipe: Recipe) -> Any:
    """The context in which the recipe's module is called."""
    import torch

    return torch.no_grad() if recipe.quantisation in _NO_INFERENCE_MODE else torch.inference_mode()


def _file(name: str) -> Any:
    return importlib.import_module(f".{name}", __package__)


def _not_together(what: str) -> EngineError:
    return EngineError("unsupported", f"the pytorch engine does not combine {what}")
