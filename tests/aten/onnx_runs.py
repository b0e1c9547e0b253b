"""For tests: ONNX models through the lowering and through PyTorch, many at a time."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnx
import torch

sys.path.insert(0, str(Path(__file__).parents[2] / "src" / "engines"))

from pytorch.module_tree import replay
from pytorch.program import load

Arrays = Sequence[np.ndarray]


def with_constants(model: onnx.ModelProto, inputs: Arrays, kept: int) -> onnx.ModelProto:
    """The model with all its inputs but the first `kept` as initializers, as exporters write axes,
    shapes and amounts."""
    made = onnx.ModelProto()
    made.CopyFrom(model)
    for value, array in zip(model.graph.input[kept:], inputs[kept:]):
        made.graph.initializer.append(onnx.numpy_helper.from_array(np.asarray(array), value.name))
    del made.graph.input[kept:]
    return made


def lower(tool: str, folder: Path, models: dict[str, onnx.ModelProto]) -> dict[str, str]:
    """Lowers each model into a folder of its name; by name why it was refused, "" if it was not."""
    files = []
    for name, model in models.items():
        (folder / name).mkdir(parents=True, exist_ok=True)
        files.append(folder / name / "model.onnx")
        files[-1].write_bytes(model.SerializeToString())
    run = subprocess.run(
        [tool, "--each", *map(str, files)], check=True, capture_output=True, text=True
    )
    return dict(zip(models, run.stdout.splitlines(), strict=True))


def tensor_of(array: np.ndarray) -> torch.Tensor:
    """A copy as a tensor; NumPy has no bfloat16 of its own, PyTorch takes its bits."""
    if array.dtype.name == "bfloat16":
        return torch.from_numpy(array.copy().view(np.int16)).view(torch.bfloat16)
    return torch.from_numpy(np.array(array))


def array_of(tensor: torch.Tensor) -> np.ndarray:
    """Its elements; bfloat16 widened."""
    return (tensor.float() if tensor.dtype == torch.bfloat16 else tensor).numpy()


def run_lowered(folder: Path, inputs: Arrays) -> list[torch.Tensor]:
    """The outputs of the program in `folder`.

    Raises AssertionError when an input was written to, and what PyTorch raises.
    """
    program = load(folder / "program.json")
    tensors = [tensor_of(array) for array in inputs]
    before = [tensor.clone() for tensor in tensors]
    with torch.no_grad():
        outputs = replay(program, {})(*tensors)
    for tensor, copy in zip(tensors, before):
        np.testing.assert_array_equal(array_of(tensor), array_of(copy), "an input was written to")
    return list(outputs) if isinstance(outputs, tuple) else [outputs]
