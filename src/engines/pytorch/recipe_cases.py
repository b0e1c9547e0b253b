"""A small convolutional network as a job, and what a recipe's outputs are held to: for tests."""

from __future__ import annotations

import json
import pathlib
from typing import Any

import torch
from safetensors.torch import load_file, save_file

from .engine import PyTorchEngine
from .kit_test import JOB, RECIPE
from .protocol import Job, job_of

SETS = 4
ANY = float("inf")

_SHAPES = {
    "conv1.weight": (32, 3, 3, 3),
    "norm1.weight": (32,),
    "norm1.bias": (32,),
    "norm1.running_mean": (32,),
    "norm1.running_var": (32,),
    "conv2.weight": (32, 32, 3, 3),
    "conv2.bias": (32,),
    "head.fc1.weight": (64, 2048),
    "head.fc1.bias": (64,),
    "head.fc2.weight": (16, 64),
    "head.fc2.bias": (16,),
}


class Case:
    """The network in a folder, and recipes run on it in this process."""

    def __init__(self, folder: pathlib.Path) -> None:
        self.folder = folder
        torch.manual_seed(0)
        weights = {name: _draw(name, shape) for name, shape in _SHAPES.items()}
        save_file(weights, folder / "model.safetensors")
        (folder / "program.json").write_text(json.dumps(_program()))
        inputs = {f"x.{k}": torch.rand(1, 3, 16, 16) - 0.5 for k in range(SETS)}
        save_file(inputs, folder / "inputs.safetensors")
        self.expected = {k: _expected(weights, inputs[f"x.{k}"]) for k in range(SETS)}

    def request(self, artifact: str, **recipe: Any) -> dict[str, Any]:
        """A job whose artifact is an empty folder of that name."""
        place = self.folder / artifact
        place.mkdir(exist_ok=True)
        return JOB | {
            "recipe": RECIPE | recipe,
            "onnx": str(self.folder / "model.onnx"),
            "program": str(self.folder / "program.json"),
            "inputs": str(self.folder / "inputs.safetensors"),
            "artifact": str(place),
            "input_sets": SETS,
        }

    def job(self, artifact: str, **recipe: Any) -> Job:
        return job_of(self.request(artifact, **recipe))

    def load(self, job: Job) -> tuple[dict[str, Any], float]:
        """What the engine says, and the error of its outputs."""
        engine = PyTorchEngine()
        loaded = engine.load(job)
        path = self.folder / "outputs.safetensors"
        engine.write_outputs(str(path), SETS)
        return loaded, self.error(path)

    def error(self, path: pathlib.Path) -> float:
        """The greatest relative distance in L2 of the outputs from those in float32."""
        outputs = load_file(path)
        return max(
            ((outputs[f"y.{k}"] - want).norm() / want.norm()).item()
            for k, want in self.expected.items()
        )


def _draw(name: str, shape: tuple[int, ...]) -> torch.Tensor:
    if name.endswith("running_var"):
        return torch.rand(shape) + 0.5
    return (torch.rand(shape) - 0.5) * (1 if len(shape) == 1 else 0.2)


def _program() -> dict[str, Any]:
    """conv, norm, relu, pool, conv, add, relu, flatten, linear, relu, linear."""
    names = list(_SHAPES)
    first = len(names) + 1

    def ref(id: int) -> dict[str, int]:
        return {"value": id}

    def weight(name: str) -> dict[str, int]:
        return ref(1 + names.index(name))

    def norm(part: str) -> dict[str, int]:
        return weight(f"norm1.{part}")

    steps: list[tuple[str, str, list[Any]]] = [
        ("conv2d", "", [ref(0), weight("conv1.weight"), None, [1, 1], [1, 1]]),
        ("batch_norm", "", [ref(first), norm("weight"), norm("bias"), norm("running_mean"),
                            norm("running_var"), False, 0.1, 1e-5, False]),
        ("relu_", "", [ref(first + 1)]),
        ("max_pool2d", "", [ref(first + 2), [2, 2], [2, 2]]),
        ("conv2d", "", [ref(first + 3), weight("conv2.weight"), weight("conv2.bias"), [1, 1], [1, 1]]),
        ("add_", "Tensor", [ref(first + 4), ref(first + 3)]),
        ("relu_", "", [ref(first + 5)]),
        ("flatten", "using_ints", [ref(first + 6), 1]),
        ("linear", "", [ref(first + 7), weight("head.fc1.weight"), weight("head.fc1.bias")]),
        ("relu", "", [ref(first + 8)]),
        ("linear", "", [ref(first + 9), weight("head.fc2.weight"), weight("head.fc2.bias")]),
    ]  # fmt: skip
    calls = [
        {"op": f"aten::{op}", "overload": overload, "arguments": arguments,
         "results": [first + i], "frees": [], "node": op}
        for i, (op, overload, arguments) in enumerate(steps)
    ]  # fmt: skip

    def value(id: int, shape: list[int], **facts: str) -> dict[str, Any]:
        return {"id": id, "dtype": "float32", "shape": shape} | facts

    last = first + len(steps) - 1
    return {
        "schema": "assay.aten/1",
        "name": "tiny",
        "inputs": [value(0, [1, 3, 16, 16], name="x")],
        "weights": [
            value(1 + i, list(shape), tensor=name, file="model.safetensors")
            for i, (name, shape) in enumerate(_SHAPES.items())
        ],
        "constants": [],
        "calls": calls,
        "outputs": [value(last, [1, 16], name="y")],
        "value_count": last + 1,
    }


def _expected(weights: dict[str, torch.Tensor], x: torch.Tensor) -> torch.Tensor:
    functional = torch.nn.functional
    x = functional.conv2d(x, weights["conv1.weight"], padding=1)
    norm = (weights[f"norm1.{part}"] for part in ("running_mean", "running_var", "weight", "bias"))
    x = functional.max_pool2d(functional.batch_norm(x, *norm).relu(), 2)
    y = functional.conv2d(x, weights["conv2.weight"], weights["conv2.bias"], padding=1)
    x = (x + y).relu().flatten(1)
    x = functional.linear(x, weights["head.fc1.weight"], weights["head.fc1.bias"]).relu()
    return functional.linear(x, weights["head.fc2.weight"], weights["head.fc2.bias"])
