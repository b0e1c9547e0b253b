"""ATen programs as values: reads program.json (schema assay.aten/1) and its weights.

The format is defined by src/aten/program.h; nothing here runs a model.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open

SCHEMA = "assay.aten/1"


class _Default:
    """The schema's default, None where it has none."""

    def __repr__(self) -> str:
        return "DEFAULT"


DEFAULT = _Default()


@dataclass(frozen=True)
class Ref:
    """An argument that is a value of the program."""

    id: int


@dataclass(frozen=True)
class Value:
    """An input or output of the program."""

    id: int
    name: str
    dtype: torch.dtype
    shape: tuple[int, ...]


@dataclass(frozen=True)
class Weight:
    """A tensor of a safetensors file that lies beside the graph."""

    id: int
    tensor: str
    file: str
    dtype: torch.dtype
    shape: tuple[int, ...]


@dataclass(frozen=True)
class Constant:
    """A small tensor that the program holds itself."""

    id: int
    name: str
    value: torch.Tensor


@dataclass(frozen=True)
class Call:
    """One dispatcher call; arguments in the schema's order, trailing defaults left out.

    An argument is DEFAULT, a Ref, a list of Refs (None where it has a hole), or a plain value.
    """

    op: str
    overload: str
    arguments: tuple[Any, ...]
    results: tuple[int, ...]
    frees: tuple[int, ...]
    node: str

    def target(self) -> torch._ops.OpOverload:
        """The operator overload that the call names."""
        namespace, name = self.op.split("::")
        packet = getattr(getattr(torch.ops, namespace), name)
        return getattr(packet, self.overload or "default")


@dataclass(frozen=True)
class Program:
    """A model as the list of dispatcher calls that eager PyTorch would make."""

    name: str
    inputs: tuple[Value, ...]
    weights: tuple[Weight, ...]
    constants: tuple[Constant, ...]
    calls: tuple[Call, ...]
    outputs: tuple[Value, ...]
    value_count: int


def load(path: Path | str) -> Program:
    """Reads program.json.

    Raises ValueError for another schema; KeyError, TypeError for a file that assay did not write.
    """
    document = json.loads(Path(path).read_text())
    if document["schema"] != SCHEMA:
        raise ValueError(f"{path}: its schema is '{document['schema']}', not '{SCHEMA}'")
    return Program(
        name=document["name"],
        inputs=tuple(_value(entry) for entry in document["inputs"]),
        weights=tuple(_weight(entry) for entry in document["weights"]),
        constants=tuple(_constant(entry) for entry in document["constants"]),
        calls=tuple(_call(entry) for entry in document["calls"]),
        outputs=tuple(_value(entry) for entry in document["outputs"]),
        value_count=document["value_count"],
    )


def load_weights(program: Program, folder: Path | str) -> dict[int, torch.Tensor]:
    """The program's weights by value id, each with aligned storage of its own.

    folder  holds the graph and its safetensors files
    Raises ValueError when a tensor's type differs from the program's.
    """
    weights: dict[int, torch.Tensor] = {}
    for file in sorted({weight.file for weight in program.weights}):
        with safe_open(Path(folder) / file, framework="pt") as tensors:
            for weight in program.weights:
                if weight.file == file:
                    tensor = tensors.get_tensor(weight.tensor)
                    _check_type(weight, tensor)
                    weights[weight.id] = tensor.clone()
    return weights


def _check_type(weight: Weight, tensor: torch.Tensor) -> None:
    if tensor.dtype != weight.dtype or tuple(tensor.shape) != weight.shape:
        raise ValueError(
            f"{weight.file}: tensor '{weight.tensor}' is {tensor.dtype} {tuple(tensor.shape)}, "
            f"the program wants {weight.dtype} {weight.shape}"
        )


def _dtype(name: str) -> torch.dtype:
    return getattr(torch, name)


def _value(entry: dict[str, Any]) -> Value:
    return Value(entry["id"], entry["name"], _dtype(entry["dtype"]), tuple(entry["shape"]))


def _weight(entry: dict[str, Any]) -> Weight:
    shape = tuple(entry["shape"])
    return Weight(entry["id"], entry["tensor"], entry["file"], _dtype(entry["dtype"]), shape)


def _constant(entry: dict[str, Any]) -> Constant:
    dtype = _dtype(entry["dtype"])
    data = bytearray.fromhex(entry["hex"])
    value = torch.frombuffer(data, dtype=dtype) if data else torch.empty(0, dtype=dtype)
    return Constant(entry["id"], entry["name"], value.reshape(entry["shape"]).clone())


def _call(entry: dict[str, Any]) -> Call:
    return Call(
        op=entry["op"],
        overload=entry["overload"],
        arguments=tuple(_argument(argument) for argument in entry["arguments"]),
        results=tuple(entry["results"]),
        frees=tuple(entry["frees"]),
        node=entry["node"],
    )


def _argument(argument: Any) -> Any:
    if argument is None:
        return DEFAULT
    if not isinstance(argument, dict):
        return argument
    ((kind, content),) = argument.items()
    if kind == "value":
        return Ref(content)
    if kind == "values":
        return [None if id is None else Ref(id) for id in content]
    if kind == "dtype":
        return _dtype(content)
    if kind == "device":
        return torch.device(content)
    if kind == "memory_format":
        return getattr(torch, content)
    if kind == "float":
        return float(content)
    if kind == "floats":
        return [_argument(number) for number in content]
    raise ValueError(f"no argument of a known kind: {argument}")
