"""From torch.export to an ATen program (schema assay.aten/1, src/aten/program.h)."""

from __future__ import annotations

import math
import operator
import re
from typing import Any

import torch
from torch import fx
from torch.export.graph_signature import ConstantArgument, InputKind, TensorArgument

from .examples import Argument
from .program import SCHEMA
from .sources import outside

# What checks and computes nothing: its absence changes no output.
_CHECKS = {
    torch.ops.aten._assert_tensor_metadata.default,
    torch.ops.aten._assert_async.msg,
    torch.ops.aten._assert_scalar.default,
}
_Number = bool | int | float
_MEMORY_FORMATS = {
    torch.contiguous_format: "contiguous_format",
    torch.preserve_format: "preserve_format",
    torch.channels_last: "channels_last",
    torch.channels_last_3d: "channels_last_3d",
}


class NotExpressible(Exception):
    """Something in an exported graph for which the program has no form; one line."""


def write_program(
    exported: torch.export.ExportedProgram,
    name: str,
    arguments: list[Argument],
    outputs: list[tuple[str, torch.Tensor]],
    weights: dict[str, torch.Tensor],
    file: str,
) -> dict[str, Any]:
    """The program as JSON values.

    weights  by name as the file has them; constants that torch.export found are added
    Raises NotExpressible naming the operator and its place.
    """
    return _Writer(exported, weights, file).write(name, arguments, outputs)


class _Writer:
    """Writes one program; used once."""

    def __init__(
        self,
        exported: torch.export.ExportedProgram,
        weights: dict[str, torch.Tensor],
        file: str,
    ) -> None:
        self._exported = exported
        self._weights, self._file = weights, file
        self._names = {_identity(tensor): name for name, tensor in weights.items()}
        self._count = 0
        self._ids: dict[str, int] = {}  # of weights
        self._entries: list[dict[str, Any]] = []
        self._calls: list[dict[str, Any]] = []

    def write(
        self, name: str, arguments: list[Argument], outputs: list[tuple[str, torch.Tensor]]
    ) -> dict[str, Any]:
        given = iter(arguments)
        values, inputs = [], []
        for spec in self._exported.graph_signature.input_specs:
            if spec.kind is not InputKind.USER_INPUT:
                values.append(self._weight(spec))
            elif isinstance(spec.arg, ConstantArgument):
                values.append(spec.arg.value)
            else:
                argument = next(given)
                inputs.append(_typed(self._new(), argument.value, name=argument.name))
                values.append(Made(inputs[-1]["id"]))
        results = self._run(self._exported.graph_module, values)
        kept = [
            value
            for spec, value in zip(self._exported.graph_signature.output_specs, results)
            if isinstance(spec.arg, TensorArgument)
        ]
        if len(kept) != len(outputs) or next(given, None) is not None:
            raise NotExpressible("torch.export has other inputs or outputs than the module")
        ids = [value.id for value in kept]
        self._free({entry["id"] for entry in [*inputs, *self._entries]} | set(ids))
        return {
            "schema": SCHEMA,
            "name": name,
            "value_count": self._count,
            "inputs": inputs,
            "weights": self._entries,
            "constants": [],
            "calls": self._calls,
            "outputs": [_typed(id, t, name=n) for id, (n, t) in zip(ids, outputs)],
        }

    def _new(self) -> int:
        self._count += 1
        return self._count - 1

    def _weight(self, spec: Any) -> Made:
        if spec.kind not in (InputKind.PARAMETER, InputKind.BUFFER, InputKind.CONSTANT_TENSOR):
            raise NotExpressible(f"torch.export passes it '{spec.target}', which is no tensor")
        held = self._exported.state_dict
        tensor = (held if spec.target in held else self._exported.constants)[spec.target].detach()
        if tensor.is_complex():
            raise NotExpressible(f"'{spec.target}' holds complex numbers")
        name = self._names.setdefault(_identity(tensor), spec.target)
        if name not in self._ids:
            self._weights.setdefault(name, tensor)
            self._ids[name] = self._new()
            entry = _typed(self._ids[name], tensor, tensor=name, file=self._file)
            self._entries.append(entry)
        return Made(self._ids[name])

    def _run(self, module: fx.GraphModule, inputs: list[Any]) -> list[Any]:
        """Adds a graph's calls; its outputs' values."""
        made: dict[fx.Node, Any] = {}
        given = iter(inputs)
        for node in module.graph.nodes:
            if node.op == "placeholder":
                made[node] = next(given)
            elif node.op == "get_attr":
                made[node] = getattr(module, node.target)
            elif node.op == "output":
                return list(fx.map_arg(node.args[0], lambda n: made[n]))
            else:
                made[node] = self._call(node, made)
        raise NotExpressible("torch.export gave a graph without output")

    def _call(self, node: fx.Node, made: dict[fx.Node, Any]) -> Any:
        args = fx.map_arg(node.args, lambda n: made[n])
        if node.target is operator.getitem:
            return args[0][args[1]]
        if node.target is torch.ops.higher_order.wrap_with_set_grad_enabled:
            return self._run(args[1], list(args[2:]))  # gradients are off everywhere
        if node.target in _CHECKS:
            return None
        if not isinstance(node.target, torch._ops.OpOverload) or not node.target._schema.returns:
            raise NotExpressible(f"torch.export wrote {node.target}{_place(node)}")
        schema = node.target._schema
        results = [self._new() for _ in range(_tensors_of(node))]
        try:
            arguments = self._arguments(schema, args, fx.map_arg(node.kwargs, lambda n: made[n]))
        except NotExpressible as e:
            raise NotExpressible(f"{schema.name}{_place(node)}: {e}") from None
        self._calls.append(
            {
                "op": schema.name,
                "overload": schema.overload_name,
                "arguments": arguments,
                "results": results,
                "frees": [],
                "node": _path(node),
            }
        )
        several = len(schema.returns) > 1 or isinstance(schema.returns[0].type, torch.ListType)
        return [Made(id) for id in results] if several else Made(results[0])

    def _arguments(self, schema: Any, args: Any, kwargs: Any) -> list[Any]:
        arguments = []
        for position, parameter in enumerate(schema.arguments):
            value = args[position] if position < len(args) else kwargs.get(parameter.name)
            arguments.append(_argument(parameter.type, value))
        while arguments and arguments[-1] is None:
            arguments.pop()
        return arguments

    def _free(self, fixed: set[int]) -> None:
        """Each value is freed after its last use, or at once when nothing uses it."""
        last: dict[int, dict[str, Any]] = {}
        for call in self._calls:
            for argument in call["arguments"]:
                if isinstance(argument, dict):
                    ids = argument.get("values", [argument.get("value")])
                    last.update({id: call for id in ids if id is not None})
            last.update({id: call for id in call["results"]})
        for id, call in sorted(last.items()):
            if id not in fixed:
                call["frees"].append(id)


class Made:
    """A value of the program."""

    def __init__(self, id: int) -> None:
        self.id = id


def _identity(tensor: torch.Tensor) -> tuple[Any, ...]:
    where = (tensor.data_ptr(), tensor.dtype, tuple(tensor.shape), tensor.stride())
    return where if tensor.numel() else (*where, id(tensor))


def _typed(id: int, tensor: torch.Tensor, /, **facts: str) -> dict[str, Any]:
    dtype = str(tensor.dtype).removeprefix("torch.")
    return {"id": id, "dtype": dtype, "shape": list(tensor.shape)} | facts


def _tensors_of(node: fx.Node) -> int:
    value = node.meta["val"]
    if isinstance(value, torch.Tensor):
        return 1
    if isinstance(value, (list, tuple)) and all(isinstance(v, torch.Tensor) for v in value):
        return len(value)
    raise NotExpressible(f"{node.target}{_place(node)} gives something else than tensors")


def _argument(type: Any, value: Any) -> Any:
    """One argument in the program's form, by the type that the operator's schema has for it."""
    if isinstance(type, torch.OptionalType):
        type = type.getElementType()
    if value is None or value is torch.strided:
        return None
    if isinstance(value, Made):
        return {"value": value.id}
    if isinstance(value, (list, tuple)):
        return _list_argument(type, list(value))
    if isinstance(value, torch.dtype):
        return {"dtype": str(value).removeprefix("torch.")}
    if isinstance(value, torch.device) and value.type == "cpu":
        return {"device": "cpu"}
    if isinstance(value, torch.memory_format):
        return {"memory_format": _MEMORY_FORMATS[value]}
    if isinstance(value, (bool, str)):
        return value
    if isinstance(value, (int, float)):
        return _number(float(value) if isinstance(type, torch.FloatType) else value)
    raise NotExpressible(f"the argument {value!r} has no form in a program")


def _list_argument(type: Any, values: list[Any]) -> Any:
    element = type.getElementType() if isinstance(type, torch.ListType) else None
    if isinstance(element, (torch.TensorType, torch.OptionalType)) or any(
        isinstance(v, Made) for v in values
    ):
        return {"values": [None if v is None else v.id for v in values]}
    if any(isinstance(v, bool) or not isinstance(v, (int, float)) for v in values):
        raise NotExpressible(f"the argument {values!r} has no form in a program")
    if isinstance(element, torch.FloatType) or any(isinstance(v, float) for v in values):
        return {"floats": [_number(float(v)) for v in values]}
    return values


def _number(value: _Number) -> Any:
    """JSON has no infinities."""
    if isinstance(value, float) and not math.isfinite(value):
        return {"float": "nan" if math.isnan(value) else "inf" if value > 0 else "-inf"}
    return value


def _path(node: fx.Node) -> str:
    """The innermost module that makes a call: "layer1.0.conv1"; else the node's name."""
    stack = list((node.meta.get("nn_module_stack") or {}).values())
    path = stack[-1][0].removeprefix("L['self'].") if stack else ""
    return path or node.name


def _place(node: fx.Node) -> str:
    """" at net.py:12", in the user's code where it is; "" when it is not known."""
    places = re.findall(r'File "([^"]+)", line (\d+)', node.meta.get("stack_trace") or "")
    own = [place for place in places if outside(place[0])] or places
    return f" at {own[-1][0].rpartition('/')[2]}:{own[-1][1]}" if own else ""
