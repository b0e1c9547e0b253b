"""The model of a job as an nn.Module with its inputs, in the recipe's precision."""

import dataclasses
import pathlib

import torch
from safetensors.torch import load_file, save_file

from . import program as aten
from .module_tree import build_module
from .protocol import EngineError, Job, Recipe

_PRECISIONS = {
    "fp32": torch.float32,
    "fp64": torch.float64,
    "bf16": torch.bfloat16,
    "fp16": torch.float16,
}


@dataclasses.dataclass(frozen=True)
class LoadedModel:
    module: torch.nn.Module
    input_sets: list[tuple[torch.Tensor, ...]]  # in the program's order
    output_names: list[str]


def configure(threads: int) -> None:
    """Threads, and float32 that is float32; the twin of Configure in the C++ engine."""
    torch.set_num_threads(threads)
    if torch.get_num_interop_threads() != 1:
        torch.set_num_interop_threads(1)  # refused by PyTorch once its pool runs
    torch.set_flush_denormal(True)
    torch.set_float32_matmul_precision("highest")


def load_model(job: Job) -> LoadedModel:
    if job.recipe.precision not in _PRECISIONS:
        raise EngineError(
            "unsupported",
            f"the pytorch engine has no precision '{job.recipe.precision}'",
            f"it has {', '.join(_PRECISIONS)}",
        )
    dtype = None if job.recipe.as_is else _PRECISIONS[job.recipe.precision]
    program = aten.load(job.program)
    weights = aten.load_weights(program, pathlib.Path(job.onnx).parent)
    module = build_module(program, weights)
    if dtype is not None:
        module = module.to(dtype)
    return LoadedModel(
        module=module,
        input_sets=_input_sets(job, program, dtype),
        output_names=[output.name for output in program.outputs],
    )


def _input_sets(
    job: Job, program: aten.Program, dtype: torch.dtype | None
) -> list[tuple[torch.Tensor, ...]]:
    tensors = load_file(job.inputs)
    return [
        tuple(_input(tensors, i, chosen, dtype) for i in program.inputs)
        for chosen in range(job.input_sets)
    ]


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
    """The precision of the weights; for fp32, less if PyTorch may shorten its products."""
    asked = recipe.precision
    if recipe.as_is:
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
