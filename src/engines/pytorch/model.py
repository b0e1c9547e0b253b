"""The model of a job as an nn.Module with its inputs, in the recipe's precision."""

import dataclasses
import pathlib
from collections.abc import Callable
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from torch.overrides import TorchFunctionMode

from . import program as aten
from . import user_module
from .autocast import Autocast, require_effect
from .module_tree import build_module
from .protocol import EngineError, Job, Recipe

_PRECISIONS = {
    "fp32": torch.float32,
    "fp64": torch.float64,
    "bf16": torch.bfloat16,
    "fp16": torch.float16,
}


NamedOutputs = Callable[[Any], list[tuple[str, torch.Tensor]]]


@dataclasses.dataclass(frozen=True)
class LoadedModel:
    module: torch.nn.Module
    input_sets: list[tuple[torch.Tensor, ...]]  # those passed by position, in the model's order
    keyword_sets: list[dict[str, torch.Tensor]]  # those passed by name
    named_outputs: NamedOutputs  # the tensors of what the module returns, by the model's names


def configure(threads: int) -> None:
    """Threads, and float32 that is float32; the twin of Configure in the C++ engine."""
    torch.set_num_threads(threads)
    if torch.get_num_interop_threads() != 1:
        torch.set_num_interop_threads(1)  # refused by PyTorch once its pool runs
    torch.set_flush_denormal(True)
    torch.set_float32_matmul_precision("highest")


def load_model(job: Job) -> LoadedModel:
    """The model and its inputs in the recipe's precision, layout and autocast."""
    recipe = job.recipe
    if recipe.precision not in _PRECISIONS:
        raise EngineError(
            "unsupported",
            f"the pytorch engine has no precision '{recipe.precision}'",
            f"it has {', '.join(_PRECISIONS)}",
        )
    asked = _PRECISIONS[recipe.precision]
    dtype = None if recipe.as_is else torch.float32 if recipe.autocast else asked
    model = _load_users_module(job, dtype) if job.module else _load_program(job, dtype)
    if recipe.channels_last:
        model = in_channels_last(model)
    if recipe.autocast:
        model = dataclasses.replace(model, module=Autocast(model.module, asked).eval())
        require_effect(model.module, model.input_sets[0], model.keyword_sets[0])
    return model


def in_channels_last(model: LoadedModel) -> LoadedModel:
    def laid_out(tensor: torch.Tensor) -> torch.Tensor:
        four = tensor.dim() == 4
        return tensor.contiguous(memory_format=torch.channels_last) if four else tensor

    return dataclasses.replace(
        model,
        module=model.module.to(memory_format=torch.channels_last),
        input_sets=[tuple(map(laid_out, inputs)) for inputs in model.input_sets],
        keyword_sets=[{k: laid_out(v) for k, v in named.items()} for named in model.keyword_sets],
    )


def _load_program(job: Job, dtype: torch.dtype | None) -> LoadedModel:
    program = aten.load(job.program)
    weights = aten.load_weights(program, pathlib.Path(job.onnx).parent)
    names = [output.name for output in program.outputs]

    def named_outputs(outputs: Any) -> list[tuple[str, torch.Tensor]]:
        values = outputs if isinstance(outputs, tuple) else (outputs,)
        return list(zip(names, values, strict=True))

    module = _in_precision(build_module(program, weights), dtype)
    return _with_inputs(job, dtype, module, program.inputs, [], named_outputs)


def _in_precision(module: torch.nn.Module, dtype: torch.dtype | None) -> torch.nn.Module:
    """Complex numbers stay complex, which Module.to would make real ones."""
    if dtype is None or not any(t.is_complex() for _, t in user_module.named_tensors(module)):
        return module if dtype is None else module.to(dtype)
    for _, tensor in user_module.named_tensors(module):
        if tensor.is_floating_point():
            tensor.data = tensor.data.to(dtype)
        elif tensor.is_complex() and dtype == torch.float64:
            tensor.data = tensor.data.to(torch.complex128)
    return module


def _load_users_module(job: Job, dtype: torch.dtype | None) -> LoadedModel:
    """The module as the user wrote it, in place of one made from a program."""
    if dtype == torch.float64:
        torch.set_default_dtype(dtype)  # of what forward makes without naming a type
    try:
        module, facts = user_module.load(pathlib.Path(job.module).parent)
    except user_module.ModuleError as e:
        raise EngineError("failed", e.message, e.hint) from e
    arguments = [
        (a["keyword"], aten.Value(-1, a["name"], getattr(torch, a["dtype"]), tuple(a["shape"])))
        for a in facts["arguments"]
    ]
    names = [output["name"] for output in facts["outputs"]]

    def named_outputs(outputs: Any) -> list[tuple[str, torch.Tensor]]:
        values = [tensor for _, tensor in user_module.named_outputs(outputs)]
        return list(zip(names, values, strict=True))

    module = _in_precision(module, dtype)
    return _with_inputs(
        job,
        dtype,
        _InDouble(module) if dtype == torch.float64 else module,
        [value for keyword, value in arguments if not keyword],
        [value for keyword, value in arguments if keyword],
        named_outputs,
    )


def _with_inputs(
    job: Job,
    dtype: torch.dtype | None,
    module: torch.nn.Module,
    by_position: list[aten.Value],
    by_name: list[aten.Value],
    named_outputs: NamedOutputs,
) -> LoadedModel:
    tensors = load_file(job.inputs)
    sets = range(job.input_sets)
    return LoadedModel(
        module=module,
        input_sets=[tuple(_input(tensors, v, k, dtype) for v in by_position) for k in sets],
        keyword_sets=[{v.name: _input(tensors, v, k, dtype) for v in by_name} for k in sets],
        named_outputs=named_outputs,
    )


_WIDER = {torch.float32: torch.float64, torch.complex64: torch.complex128}


class _Widen(TorchFunctionMode):
    """float32 that code asks for by name becomes float64."""

    def __torch_function__(
        self, func: Any, types: Any, args: Any = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        def wide(value: Any) -> Any:
            return _WIDER.get(value, value) if isinstance(value, torch.dtype) else value

        func = torch.Tensor.double if func is torch.Tensor.float else func
        return func(*map(wide, args), **{k: wide(v) for k, v in (kwargs or {}).items()})


class _InDouble(torch.nn.Module):
    """A user's module with all of its float32 in float64: the golden reference, never timed."""

    def __init__(self, module: torch.nn.Module) -> None:
        super().__init__()
        self.module = module

    def forward(self, *args: torch.Tensor, **kwargs: torch.Tensor) -> Any:
        with _Widen():
            return self.module(*args, **kwargs)


def _input(
    tensors: dict[str, torch.Tensor], wanted: aten.Value, chosen: int, dtype: torch.dtype | None
) -> torch.Tensor:
    """A copy: what safetensors maps is aligned to its element only."""
    name = f"{wanted.name}.{chosen}"
    if name not in tensors:
        raise EngineError("failed", f"the model takes '{wanted.name}', but there is no '{name}'")
    tensor = tensors[name]
    if tensor.shape != wanted.shape or tensor.dtype != wanted.dtype:
        raise EngineError(
            "failed",
            f"input '{name}' is {_described(tensor)}, the model takes {_described(wanted)}",
        )
    if dtype is None or not tensor.is_floating_point():
        return tensor.clone()
    return tensor.to(dtype, copy=True)


def _described(tensor: torch.Tensor | aten.Value) -> str:
    dtype = str(tensor.dtype).removeprefix("torch.")
    return f"{dtype} {'x'.join(map(str, tensor.shape)) or 'scalar'}"


def obtained_precision(model: LoadedModel, recipe: Recipe) -> str:
    """The precision of the weights; for fp32, less if PyTorch may shorten its products.

    Of a quantised model, of what is not quantised: shares.note says what is.
    """
    asked = recipe.precision
    if recipe.as_is or recipe.autocast:  # autocast.require_effect looked
        return asked
    inside = torch.get_float32_matmul_precision()
    if asked == "fp32" and inside != "highest":
        return {"high": "tf32", "medium": "bf16"}[inside]
    names = {dtype: name for name, dtype in _PRECISIONS.items()}
    weights = [p.dtype for p in model.module.parameters() if p.is_floating_point()]
    return names[weights[0]] if weights else asked


def write_tensors(path: str, tensors: dict[str, torch.Tensor]) -> None:
    """Floating point as float32 (float64 as it is), integers as they are."""

    def exported(tensor: torch.Tensor) -> torch.Tensor:
        reduced = tensor.is_floating_point() and tensor.dtype != torch.float64
        return (tensor.float() if reduced else tensor).contiguous().clone()

    save_file({name: exported(tensor) for name, tensor in tensors.items()}, path)
