"""What PyTorch's own tools make of a module, as values for `assay graph` (assay.torch_graph/1).

Any nn.Module will do, a user's or the tree that module_tree rebuilds: `exported` and `explained`
take the module and its inputs, `of_exported_program` what torch.export gave already. The form is
read by src/view/torch.cc.
"""

from __future__ import annotations

import re
import traceback
from collections.abc import Callable
from typing import Any

import torch
from torch import fx, nn

SCHEMA = "assay.torch_graph/1"
_MOST_FRAMES = 4  # of a graph break, innermost last

Json = dict[str, Any]


def exported(
    module: nn.Module, inputs: tuple[Any, ...], name: str, named: dict[str, Any] | None = None
) -> Json:
    """What torch.export makes of the module."""
    with torch.no_grad():
        return of_exported_program(torch.export.export(module, inputs, named or None), name)


def of_exported_program(program: torch.export.ExportedProgram, name: str) -> Json:
    title = f"{name} as torch.export (PyTorch {torch.__version__}) writes it"
    weights = _exported_weights(program)
    graph = _Graph(program.graph_module, "val", lambda node: weights.get(node.name))
    return _document([graph.to_json(name, title)], [])


def explained(
    module: nn.Module, inputs: tuple[Any, ...], name: str, named: dict[str, Any] | None = None
) -> Json:
    """What dynamo, torch.compile's front end, makes of the module: its graphs, and where it broke
    off. Runs the module once."""
    with torch.no_grad():
        found = torch._dynamo.explain(module)(*inputs, **named or {})
    weights = _traced_weights(module)
    graphs = []
    for position, graph in enumerate(found.graphs, start=1):
        title = f"{name}: graph {position} of {found.graph_count} of dynamo (PyTorch {torch.__version__})"
        made = _Graph(graph, "example_value", lambda node: weights.get(_collapsed(node.name)))
        graphs.append(made.to_json(name, title))
    breaks = [
        {"reason": _one_line(reason.reason), "where": _places(reason.user_stack)}
        for reason in found.break_reasons
        if reason.graph_break
    ]
    return _document(graphs, breaks)


def _document(graphs: list[Json], breaks: list[Json]) -> Json:
    return {"schema": SCHEMA, "graphs": graphs, "breaks": breaks}


def _one_line(reason: str) -> str:
    """The first paragraph: what follows are hints of several lines and links."""
    lines = [line.strip() for line in str(reason).strip().splitlines()]
    told = [line for line in lines if line and not line.startswith(("Hint:", "For more details"))]
    return " ".join(told)


def _places(stack: list[traceback.FrameSummary]) -> list[str]:
    frames = list(stack)[-_MOST_FRAMES:]
    return [f"{f.filename}:{f.lineno} in {f.name}: {(f.line or '').strip()}" for f in frames]


def _exported_weights(program: torch.export.ExportedProgram) -> dict[str, tuple[str, bool]]:
    """By placeholder: the parameter or buffer that it stands for, and whether it is a parameter."""
    signature = program.graph_signature
    weights = {name: (path, True) for name, path in signature.inputs_to_parameters.items()}
    weights |= {name: (path, False) for name, path in signature.inputs_to_buffers.items()}
    constants = signature.inputs_to_lifted_tensor_constants
    return weights | {name: (path, False) for name, path in constants.items()}


def _traced_weights(module: nn.Module) -> dict[str, tuple[str, bool]]:
    """The same for dynamo's placeholders, which are called after where their tensor lies:
    L['self']._modules['fc']._parameters['weight'] is l_self_modules_fc_parameters_weight_."""
    weights = {}
    for kind, named in (("parameters", module.named_parameters), ("buffers", module.named_buffers)):
        for path, _ in named():
            *parents, leaf = path.split(".")
            places = [f"modules_{parent}" for parent in parents] + [f"{kind}_{leaf}"]
            weights[_collapsed("_".join(["l_self", *places]))] = path, kind == "parameters"
    return weights


def _collapsed(name: str) -> str:
    return re.sub(r"[\W_]+", "_", name).strip("_").lower()


class _Graph:
    """One fx graph as items and steps; used once.

    kept    the key of a node's meta under which its value lies
    weight  name of the weight that a placeholder stands for, and whether it is a parameter
    """

    def __init__(
        self,
        module: fx.GraphModule,
        kept: str,
        weight: Callable[[fx.Node], tuple[str, bool] | None],
    ) -> None:
        self._module, self._kept, self._weight = module, kept, weight
        self._items: list[Json] = []
        self._ids: dict[fx.Node, int] = {}
        self._steps: list[Json] = []
        self._inputs: list[int] = []
        self._outputs: list[int] = []

    def to_json(self, name: str, title: str) -> Json:
        for node in self._module.graph.nodes:
            self._add(node)
        return {
            "name": name,
            "title": title,
            "code": _code(self._module),
            "items": self._items,
            "steps": self._steps,
            "inputs": self._inputs,
            "outputs": self._outputs,
        }

    def _add(self, node: fx.Node) -> None:
        if node.op == "output":
            self._outputs = [self._ids[n] for n in node.all_input_nodes]
        elif node.op in ("placeholder", "get_attr"):
            self._add_source(node)
        else:
            self._steps.append(
                {
                    "name": node.name,
                    "op": self._operator(node),
                    "origin": _module_of(node),
                    "arguments": self._arguments(node),
                    "results": [self._item(node, "result", node.name)],
                }
            )

    def _add_source(self, node: fx.Node) -> None:
        weight = (str(node.target), False) if node.op == "get_attr" else self._weight(node)
        if weight is None:
            self._inputs.append(self._item(node, "input", node.name))
            return
        id = self._item(node, "weight", weight[0])
        value = self._value(node)
        if weight[1] and value is not None and value.is_floating_point() and value.dim() > 0:
            self._items[id]["parameters"] = value.numel()

    def _value(self, node: fx.Node) -> Any:
        value = node.meta.get(self._kept)
        if value is None and node.op == "get_attr":
            value = getattr(self._module, str(node.target), None)
        return value

    def _item(self, node: fx.Node, kind: str, name: str) -> int:
        item: Json = {"kind": kind, "name": name}
        value = self._value(node)
        if isinstance(value, torch.Tensor):
            item["dtype"] = str(value.dtype).removeprefix("torch.")
            item["shape"] = [_size(size) for size in value.shape]
        elif isinstance(value, (tuple, list)):
            item["content"] = f"{len(value)} values"
        elif value is not None:
            item["content"] = f"a number, {value}"
        self._ids[node] = len(self._items)
        self._items.append(item)
        return self._ids[node]

    def _operator(self, node: fx.Node) -> str:
        if node.op == "call_module":
            return type(self._module.get_submodule(str(node.target))).__name__
        if node.op == "call_method":
            return f"Tensor.{node.target}"
        if isinstance(node.target, torch._ops.OpOverload):
            return str(node.target)
        name = getattr(node.target, "__name__", str(node.target))
        inside = getattr(node.target, "__module__", "") or ""
        return f"{_SHORT.get(inside, inside.split('.')[0])}.{name}".lstrip(".")

    def _arguments(self, node: fx.Node) -> list[Json]:
        arguments: list[Json] = []
        for label, value in [("", a) for a in node.args] + list(node.kwargs.items()):
            prefix = f"{label}=" if label else ""
            if isinstance(value, fx.Node):
                arguments.append({"item": self._ids[value], "text": prefix})
            elif isinstance(value, (list, tuple)) and any(isinstance(v, fx.Node) for v in value):
                arguments += [
                    {"item": self._ids[v], "text": prefix}
                    if isinstance(v, fx.Node)
                    else {"text": prefix + repr(v)}
                    for v in value
                ]
            else:
                arguments.append({"text": prefix + str(value).removeprefix("torch.")})
        return arguments


# Modules in which PyTorch and Python define what people call by another name.
_SHORT = {
    "torch._C._nn": "torch.nn.functional",
    "torch.nn.functional": "torch.nn.functional",
    "_operator": "operator",
    "builtins": "",
}


def _size(size: Any) -> int:
    """A dimension; -1 for one that is free."""
    return size if isinstance(size, int) else -1


def _module_of(node: fx.Node) -> str:
    """The path of the innermost module that the call was made in: "layer1.0.conv1"."""
    stack = node.meta.get("nn_module_stack") or {}
    path = str(list(stack.values())[-1][0]) if stack else ""
    path = path.removeprefix("L['self']")
    return re.sub(r"\._modules\['([^']*)'\]|\['([^']*)'\]", r".\1\2", path).strip(".")


# Comments on where a call was made that name no code of the user's, and what stands before others.
_ELSEWHERE = re.compile(r"\s*#.*(No stacktrace found|<eval_with_key>|/site-packages/torch/)")
_ANNOTATION = re.compile(r"# Annotation: \{.*?\} ")


def _code(module: fx.GraphModule) -> str:
    """The graph as Python with types, a parameter to a line, with places in the user's code only."""
    code = module.print_readable(print_output=False)
    lines = [_ANNOTATION.sub("# ", line) for line in code.splitlines() if not _ELSEWHERE.match(line)]
    lines = [
        re.sub(r'(self|: "[^"]*"), ', r"\1,\n            ", line) if "def forward(" in line else line
        for line in lines
    ]
    return re.sub(r"\n\s*\n+", "\n", "\n".join(lines)).strip() + "\n"
