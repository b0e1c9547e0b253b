"""optimum-quanto: weights of the module tree in 8, 4 or 2 bits, activations in int8, then frozen.

The artifact keeps the state; load quantises the same tree without calibration and puts it in.
"""

from __future__ import annotations

import dataclasses
import os
from typing import Any

import torch
from torch import nn

from . import calibration, quanto_extension, shares
from .artifact import empty_folder
from .model import LoadedModel
from .protocol import EngineError, Job
from .refusal import needs_package, refused_by

_FOLDER, _FILE = "quantised", "state.pt"
_KINDS = {
    "int8": "qint8",
    "int4": "qint4",
    "int2": "qint2",
    "float8_e4m3fn": "qfloat8_e4m3fn",
    "float8_e4m3fnuz": "qfloat8_e4m3fnuz",
    "float8_e5m2": "qfloat8_e5m2",
}
_PACKED = ("int4", "int2")  # unpacked by an extension in C++


def quantise(job: Job, model: LoadedModel) -> list[str]:
    with needs_package("optimum-quanto"):
        from optimum import quanto
    notes = quanto_extension.build(job) if job.recipe.weights in _PACKED else []
    with torch.no_grad(), refused_by("quanto"):
        counted = shares.multiply_adds(model)
        module = _quantised(job, model.module)
        if job.recipe.activations:
            _require_absolute_maxima(job)
            _calibrate(model, module)
            notes.append("ranges from absolute maxima, averaged over the inputs, as quanto makes them")
        quanto.freeze(module)
        parts = _parts(module)
        rounded = [path for path, part in parts.items() if part.weight_qtype is not None]
        notes.append(shares.note(f"{job.recipe.weights} weights", counted, rounded))
        plain = [path for path, part in parts.items() if not _quantises_output(part)]
        state = {"state": module.state_dict(), "plain_outputs": plain}
        torch.save(state, empty_folder(job, _FOLDER) / _FILE)
    return notes


def restore(job: Job, model: LoadedModel) -> LoadedModel:
    with needs_package("optimum-quanto"):
        import optimum.quanto  # noqa: F401
    if job.recipe.weights in _PACKED:
        quanto_extension.load(job)
    kept = torch.load(os.path.join(job.artifact, _FOLDER, _FILE), weights_only=True)
    with torch.no_grad():
        module = _quantised(job, model.module)
        module.load_state_dict(kept["state"])
    for path in kept["plain_outputs"]:
        module.get_submodule(path).disable_output_quantization()
    module.register_forward_hook(_plain_tensors())
    return dataclasses.replace(model, module=module)


def _calibrate(model: LoadedModel, module: nn.Module) -> None:
    """Learns scales, and which outputs are better left as they are: nothing that takes them is in int8.

    quanto decides on the latter when a parent has been called. A tree made from a graph calls the
    parts alone, so that it is decided here, after each sample as there.
    """
    from optimum import quanto

    learning = quanto.Calibration()
    with learning:
        for args, kwargs in calibration.samples(model):
            module(*args, **kwargs)
            for part in _parts(module).values():
                if not learning.modules_qactivations.get(part, False):
                    part.disable_output_quantization()


def _plain_tensors() -> Any:
    """A forward hook: who asks for outputs asks for numbers. It runs in every inference."""
    from optimum.quanto import QTensor
    from torch.utils import _pytree as pytree

    def plain(_: nn.Module, __: Any, outputs: Any) -> Any:
        if isinstance(outputs, torch.Tensor):  # nothing else costs as little
            return outputs.dequantize() if isinstance(outputs, QTensor) else outputs
        return pytree.tree_map_only(QTensor, lambda tensor: tensor.dequantize(), outputs)

    return plain


def _require_absolute_maxima(job: Job) -> None:
    if job.recipe.calibration != "minmax":
        raise EngineError(
            "unsupported",
            f"quanto calibrates by absolute maxima, it has no method '{job.recipe.calibration}'",
            "without --calibration-method it runs",
        )


def _quantised(job: Job, module: nn.Module) -> nn.Module:
    from optimum import quanto

    weights, activations = job.recipe.weights, job.recipe.activations
    if weights not in _KINDS or activations not in ("", "int8"):
        raise EngineError(
            "unsupported",
            f"quanto has no weights '{weights}' with activations '{activations}'",
            f"weights are {', '.join(_KINDS)}; activations int8 or as they come in",
        )
    kind = getattr(quanto, _KINDS[weights])
    quanto.quantize(module, weights=kind, activations=quanto.qint8 if activations else None)
    return module


def _parts(module: nn.Module) -> dict[str, Any]:
    from optimum.quanto import QModuleMixin

    return {
        path: part for path, part in module.named_modules() if isinstance(part, QModuleMixin)
    }


def _quantises_output(part: Any) -> bool:
    """False where calibration found that what comes next does not take quantised tensors."""
    hook = part._quantize_hooks.get("output")
    return hook is None or hook.id in part._forward_hooks
