"""From an ATen program to nn.Module: call by call, or as the tree of modules it was written as."""

from __future__ import annotations

import keyword
import operator
import re
from collections.abc import Callable
from typing import Any

import torch
from torch import fx, nn

from .program import DEFAULT, Call, Program, Ref

Weights = dict[int, torch.Tensor]


def replay(program: Program, weights: Weights, dtype: torch.dtype | None = None) -> nn.Module:
    """A module that makes the program's calls in order, each value freed after its last use.

    dtype  when given, weights, inputs and casts of floating-point type are of that type instead
    """
    return _Replay(program, weights, dtype).eval()


def build_module(program: Program, weights: Weights) -> fx.GraphModule:
    """The program as a tree of modules.

    A convolution, linear, norm or embedding with constant weights becomes the nn module of that
    kind at the path of its weight's name; everything else stays a call, in place where the
    program is. Works in eager, torch.export and torch.compile(fullgraph=True).
    """
    return _TreeBuilder(program, weights).build()


def bind_arguments(call: Call, resolve: Callable[[Any], Any]) -> tuple[list[Any], dict[str, Any]]:
    """The call's arguments as Python passes them: keyword-only parameters by name.

    resolve  what stands for a Ref or a list of Refs
    """
    args: list[Any] = []
    kwargs: dict[str, Any] = {}
    for parameter, argument in zip(call.target()._schema.arguments, call.arguments):
        if isinstance(argument, Ref):
            argument = resolve(argument)
        elif isinstance(argument, list):
            argument = [resolve(item) if isinstance(item, Ref) else item for item in argument]
        if parameter.kwarg_only:
            if argument is not DEFAULT:
                kwargs[parameter.name] = argument
        else:
            args.append(_default_of(parameter) if argument is DEFAULT else argument)
    return args, kwargs


def _default_of(parameter: Any) -> Any:
    return parameter.default_value if parameter.has_default_value() else None


def _returns_several(call: Call) -> bool:
    """Whether the operator returns a list or tuple, of which the call may name the first only."""
    returns = call.target()._schema.returns
    return len(returns) > 1 or isinstance(returns[0].type, torch.ListType)


class _Replay(nn.Module):
    """The program's calls through torch.ops."""

    def __init__(self, program: Program, weights: Weights, dtype: torch.dtype | None) -> None:
        super().__init__()
        self._dtype = dtype
        self._program = program
        self._fixed = {id: self._cast(tensor) for id, tensor in weights.items()}
        self._fixed.update({c.id: self._cast(c.value) for c in program.constants})

    def _cast(self, value: Any) -> Any:
        if self._dtype is None:
            return value
        if isinstance(value, torch.Tensor) and value.is_floating_point():
            return value.to(self._dtype)
        if isinstance(value, torch.dtype) and value.is_floating_point:
            return self._dtype
        return value

    def forward(self, *inputs: torch.Tensor) -> Any:
        """Outputs in the program's order; the tensor itself when there is one."""
        values = dict(self._fixed)
        for value, tensor in zip(self._program.inputs, inputs, strict=True):
            values[value.id] = self._cast(tensor)
        for call in self._program.calls:
            args, kwargs = bind_arguments(call, lambda ref: values[ref.id])
            result = call.target()(*[self._cast_type(a) for a in args], **kwargs)
            results = result if _returns_several(call) else [result]
            values.update(zip(call.results, results))
            for id in call.frees:
                del values[id]
        outputs = tuple(values[output.id] for output in self._program.outputs)
        return outputs[0] if len(outputs) == 1 else outputs

    def _cast_type(self, argument: Any) -> Any:
        return self._cast(argument) if isinstance(argument, torch.dtype) else argument


class _TreeBuilder:
    """Builds one GraphModule; used once."""

    def __init__(self, program: Program, weights: Weights) -> None:
        self._program = program
        # Weights of the safetensors file, and those that the graph held itself.
        self._names = {weight.id: weight.tensor for weight in program.weights}
        self._names.update({constant.id: constant.name for constant in program.constants})
        self._tensors = weights | {c.id: c.value for c in program.constants}
        self._transposed: dict[int, int] = {}  # result of aten::t on a weight, to the weight
        self._modules: dict[str, tuple[Any, ...]] = {}  # by path, what the module was made of
        self._placed: dict[str, int] = {}  # by path, the weight or constant that stands there
        self._nodes: dict[int, fx.Node] = {}
        self._makers = {id: call.op for call in program.calls for id in call.results}
        self._root = nn.Module()
        self._graph = fx.Graph()

    def build(self) -> fx.GraphModule:
        for value in self._program.inputs:
            self._nodes[value.id] = self._input(value.name)
        for call in self._program.calls:
            self._add(call)
        outputs = tuple(self._node(output.id) for output in self._program.outputs)
        self._graph.output(outputs[0] if len(outputs) == 1 else outputs)
        module = fx.GraphModule(self._root, self._graph, _identifier(self._program.name))
        return module.eval().requires_grad_(False)

    def _input(self, name: str) -> fx.Node:
        """An input under the name that fx finds for it: none of Python's words, none given twice."""
        node = self._graph.placeholder("input" if name == "self" else name)
        node.target = node.name
        return node

    def _add(self, call: Call) -> None:
        if call.op == "aten::t" and call.arguments[0].id in self._names:
            self._transposed[call.results[0]] = call.arguments[0].id
            return
        made = self._module_call(call) or self._function_call(call)
        if _returns_several(call):
            for position, id in enumerate(call.results):
                self._nodes[id] = self._graph.call_function(operator.getitem, (made, position))
        else:
            self._nodes[call.results[0]] = made

    def _function_call(self, call: Call) -> fx.Node:
        args, kwargs = bind_arguments(call, lambda ref: self._node(ref.id))
        return self._graph.call_function(call.target(), tuple(args), kwargs)

    def _module_call(self, call: Call) -> fx.Node | None:
        """A call of the nn module that makes this dispatcher call, None when there is none."""
        form = _FORMS.get(call.op)
        if form is None or call.overload:  # conv2d.padding pads by a word
            return None
        kind, activation, names = form
        if call.op == "aten::batch_norm":
            maker = self._makers.get(call.arguments[0].id, "")
            if maker not in _BATCH_NORMS:
                return None
            kind = _batch_norm(_BATCH_NORMS[maker])
        schema = call.target()._schema.arguments
        arguments = {p.name: _default_of(p) for p in schema}
        given = zip(schema, call.arguments)
        arguments.update({p.name: a for p, a in given if a is not DEFAULT})
        operands = {name: arguments[name] for name in names if arguments[name] is not None}
        if "weight" not in operands or not all(self._is_weight(ref) for ref in operands.values()):
            return None
        if arguments.get("training"):
            return None  # normalises by the batch, whatever the module's mode
        path = self._path(operands["weight"])
        made_of = (call.op, operands, {k: v for k, v in arguments.items() if k != activation})
        if self._modules.get(path) != made_of:
            path = self._free(path)
        if path not in self._modules:
            tensors = {name: self._tensor(ref) for name, ref in operands.items()}
            module = kind(arguments, tensors)
            _fill(module, tensors)
            _parent(self._root, path).add_module(path.rpartition(".")[2], module)
            self._modules[path] = made_of
            for name, ref in operands.items():
                if ref.id in self._names:
                    self._placed[f"{path}.{name}"] = ref.id
        return self._graph.call_module(path, (self._node(arguments[activation].id),))

    def _is_weight(self, ref: Ref) -> bool:
        return ref.id in self._names or ref.id in self._transposed

    def _tensor(self, ref: Ref) -> torch.Tensor:
        if ref.id in self._transposed:
            return self._tensors[self._transposed[ref.id]].t()
        return self._tensors[ref.id]

    def _path(self, ref: Ref) -> str:
        """Where the module of a weight belongs: 'layer1.0.conv1' for 'layer1.0.conv1.weight'."""
        name = self._names[self._transposed.get(ref.id, ref.id)]
        return _dotted(re.sub(r"[._]weight$", "", name))

    def _node(self, id: int) -> fx.Node:
        if id not in self._nodes:
            self._nodes[id] = self._fixed_node(id)
        return self._nodes[id]

    def _fixed_node(self, id: int) -> fx.Node:
        """A weight or constant that a function call reads."""
        if id in self._transposed:
            return self._graph.call_function(
                torch.ops.aten.t.default, (self._node(self._transposed[id]),)
            )
        tensor, path = self._tensors[id], _dotted(self._names[id] or f"constant_{id}")
        if self._placed.get(path) != id:
            path = self._free(path)
            holder, name = _parent(self._root, path), path.rpartition(".")[2]
            if tensor.is_floating_point():
                holder.register_parameter(name, nn.Parameter(tensor))
            else:
                holder.register_buffer(name, tensor)
            self._placed[path] = id
        return self._graph.get_attr(path)

    def _free(self, path: str) -> str:
        """`path`, or one like it at which nothing stands, nor on the way there what is no module."""
        holder: nn.Module | None = self._root
        *folders, last = path.split(".")
        for position, part in enumerate(folders):
            while not isinstance(getattr(holder, part, nn.Module()), nn.Module):
                part += "_again"
            folders[position] = part
            holder = getattr(holder, part, None)
        while hasattr(holder, last):
            last += "_again"
        return ".".join([*folders, last])


def _identifier(name: str) -> str:
    name = re.sub(r"\W", "_", name) or "_"
    return name + "_" if keyword.iskeyword(name) else name


def _dotted(name: str) -> str:
    """A path that attributes can have: 'onnx::MatMul_12' becomes 'onnx__MatMul_12'."""
    return ".".join(_identifier(part) for part in name.split("."))


def _parent(root: nn.Module, path: str) -> nn.Module:
    """The module that holds the last part of `path`, made where it is missing."""
    module = root
    for part in path.split(".")[:-1]:
        if part not in module._modules:
            module.add_module(part, nn.Module())
        module = module.get_submodule(part)
    return module


def _fill(module: nn.Module, tensors: dict[str, torch.Tensor]) -> None:
    """Puts tensors in place of a module's parameters and buffers, which lie on no device."""
    for name, tensor in tensors.items():
        if name in module._buffers:
            module._buffers[name] = tensor
        else:
            module.register_parameter(name, nn.Parameter(tensor, tensor.is_floating_point()))
    if "num_batches_tracked" in module._buffers:
        module._buffers["num_batches_tracked"] = torch.tensor(0)


def _convolution(kind: type) -> Callable[..., nn.Module]:
    def make(arguments: dict[str, Any], tensors: dict[str, torch.Tensor]) -> nn.Module:
        out_channels, in_channels, *kernel = tensors["weight"].shape
        groups = arguments["groups"]
        return kind(
            in_channels * groups,
            out_channels,
            tuple(kernel),
            stride=tuple(arguments["stride"]),
            padding=tuple(arguments["padding"]),
            dilation=tuple(arguments["dilation"]),
            groups=groups,
            bias="bias" in tensors,
            device="meta",
        )

    return make


def _linear(arguments: dict[str, Any], tensors: dict[str, torch.Tensor]) -> nn.Module:
    out_features, in_features = tensors["weight"].shape
    return nn.Linear(in_features, out_features, bias="bias" in tensors, device="meta")


def _batch_norm(kind: type) -> Callable[..., nn.Module]:
    def make(arguments: dict[str, Any], tensors: dict[str, torch.Tensor]) -> nn.Module:
        width = tensors["weight"].shape[0]
        momentum, eps = arguments["momentum"], arguments["eps"]
        return kind(width, eps=eps, momentum=momentum, device="meta")

    return make


def _layer_norm(arguments: dict[str, Any], tensors: dict[str, torch.Tensor]) -> nn.Module:
    shape, eps = arguments["normalized_shape"], arguments["eps"]
    return nn.LayerNorm(shape, eps=eps, bias="bias" in tensors, device="meta")


def _embedding(arguments: dict[str, Any], tensors: dict[str, torch.Tensor]) -> nn.Module:
    rows, width = tensors["weight"].shape
    return nn.Embedding(rows, width, device="meta")


# The batch norm of what makes its input; after anything else the rank is not known, it stays a call.
_BATCH_NORMS = {
    "aten::conv1d": nn.BatchNorm1d,
    "aten::conv2d": nn.BatchNorm2d,
    "aten::conv3d": nn.BatchNorm3d,
}

# By operator: what makes its module, the parameter that is no constant, those that must be.
_FORMS: dict[str, tuple[Callable[..., nn.Module], str, tuple[str, ...]]] = {
    "aten::conv1d": (_convolution(nn.Conv1d), "input", ("weight", "bias")),
    "aten::conv2d": (_convolution(nn.Conv2d), "input", ("weight", "bias")),
    "aten::conv3d": (_convolution(nn.Conv3d), "input", ("weight", "bias")),
    "aten::linear": (_linear, "input", ("weight", "bias")),
    "aten::batch_norm": (
        _batch_norm(nn.BatchNorm2d),
        "input",
        ("weight", "bias", "running_mean", "running_var"),
    ),
    "aten::layer_norm": (_layer_norm, "input", ("weight", "bias")),
    "aten::embedding": (_embedding, "indices", ("weight",)),
}
