"""Faults that runtimes have had, planted into an ONNX graph: each function changes the graph in place
and returns whether there was anything to change."""

from __future__ import annotations

import math
import pathlib
from collections.abc import Callable

import numpy as np
import onnx
from onnx import external_data_helper, helper, numpy_helper

EPSILON = 1e-3


class Planter:
    """One graph whose weights may lie beside it; those that are changed come to lie inside."""

    def __init__(self, path: pathlib.Path) -> None:
        self.model = onnx.load(path, load_external_data=False)
        self.folder = str(path.parent)
        self.graph = self.model.graph
        self.weights = {w.name: w for w in self.graph.initializer}

    def nodes(self, *kinds: str) -> list[onnx.NodeProto]:
        return [node for node in self.graph.node if node.op_type in kinds]

    def read(self, name: str) -> np.ndarray:
        tensor = onnx.TensorProto()
        tensor.CopyFrom(self.weights[name])
        if external_data_helper.uses_external_data(tensor):
            external_data_helper.load_external_data_for_tensor(tensor, self.folder)
        return numpy_helper.to_array(tensor)

    def change(self, name: str, change: Callable[[np.ndarray], np.ndarray]) -> None:
        changed = np.ascontiguousarray(change(self.read(name)).astype(np.float32))
        self.weights[name].CopyFrom(numpy_helper.from_array(changed, name))

    def layer(self) -> str | None:
        """The weight of a layer in the middle: a convolution, or a product with a matrix."""
        found = [
            node.input[1]
            for node in self.nodes("Conv", "Gemm", "MatMul")
            if node.input[1] in self.weights
        ]
        return found[len(found) // 2] if found else None

    def replace(self, node: onnx.NodeProto, made: list[onnx.NodeProto]) -> None:
        place = list(self.graph.node).index(node)
        self.graph.node.remove(node)
        for offset, new in enumerate(made):
            self.graph.node.insert(place + offset, new)


def _attribute(node: onnx.NodeProto, name: str, otherwise: object) -> object:
    found = [helper.get_attribute_value(a) for a in node.attribute if a.name == name]
    return found[0] if found else otherwise


def _set(node: onnx.NodeProto, name: str, value: object) -> None:
    kept = [a for a in node.attribute if a.name != name]
    del node.attribute[:]
    node.attribute.extend([*kept, helper.make_attribute(name, value)])


def norm_epsilon(it: Planter) -> bool:
    norms = it.nodes("BatchNormalization", "LayerNormalization")
    for node in norms:
        _set(node, "epsilon", EPSILON)
    return bool(norms)


def tanh_for_erf(it: Planter) -> bool:
    """In GELU; of a model that means tanh, erf."""
    gelus, erfs = it.nodes("Gelu"), it.nodes("Erf")
    for node in gelus:
        tanh = _attribute(node, "approximate", b"none") == b"tanh"
        _set(node, "approximate", "none" if tanh else "tanh")
    for number, node in enumerate(erfs):
        u, y = node.input[0], node.output[0]
        constants = {"c1": math.sqrt(4 / math.pi), "c3": 0.044715 * 2 * math.sqrt(4 / math.pi)}
        names = {key: f"planted_{key}_{number}" for key in constants}
        for key, value in constants.items():
            array = np.array(value, np.float32)
            it.graph.initializer.append(numpy_helper.from_array(array, names[key]))
        p = f"planted_{number}_"
        it.replace(
            node,
            [
                helper.make_node("Mul", [u, u], [p + "square"]),
                helper.make_node("Mul", [p + "square", u], [p + "cube"]),
                helper.make_node("Mul", [p + "cube", names["c3"]], [p + "third"]),
                helper.make_node("Mul", [u, names["c1"]], [p + "first"]),
                helper.make_node("Add", [p + "first", p + "third"], [p + "sum"]),
                helper.make_node("Tanh", [p + "sum"], [y]),
            ],
        )
    return bool(gelus or erfs)


def padding_off_by_one(it: Planter) -> bool:
    for node in it.nodes("Conv"):
        pads = list(_attribute(node, "pads", []))
        if pads and pads[0] > 0:
            half = len(pads) // 2
            _set(node, "pads", [p - 1 for p in pads[:half]] + [p + 1 for p in pads[half:]])
            return True
    return False


def ceil_for_floor(it: Planter) -> bool:
    pools = it.nodes("MaxPool", "AveragePool")
    for node in pools:
        _set(node, "ceil_mode", 1)
    return bool(pools)


def align_corners(it: Planter) -> bool:
    resizes = it.nodes("Resize")
    for node in resizes:
        _set(node, "coordinate_transformation_mode", "align_corners")
    return bool(resizes)


def missing_bias(it: Planter) -> bool:
    biases = [n.input[2] for n in it.nodes("Conv", "Gemm", "LayerNormalization") if len(n.input) > 2]
    biases += [n.input[2] for n in it.nodes("BatchNormalization")]
    filled = [name for name in biases if name in it.weights and it.read(name).any()]
    if filled:
        it.change(filled[len(filled) // 2], np.zeros_like)
    return bool(filled)


def stale_weight(it: Planter) -> bool:
    """One that is an update behind: off by a hundredth of its spread."""
    name = it.layer()
    if name:
        draw = np.random.default_rng(1)
        it.change(name, lambda w: w + 0.01 * w.std() * draw.standard_normal(w.shape))
    return name is not None


def transposed_weight(it: Planter) -> bool:
    for node in reversed(it.nodes("Conv", "Gemm", "MatMul")):
        name = node.input[1]
        shape = list(it.weights[name].dims) if name in it.weights else []
        if len(shape) >= 2 and shape[-1] == shape[-2] and shape[-1] > 1:
            it.change(name, lambda w: np.swapaxes(w, -1, -2))
            return True
    return False


def dropped_residual(it: Planter) -> bool:
    inputs = {v.name for v in it.graph.input}
    makers = {out: node.op_type for node in it.graph.node for out in node.output}
    adds = [
        node
        for node in it.nodes("Add")
        if all(name in makers and makers[name] not in ("Constant", "MatMul") or name in inputs for name in node.input)
    ]
    layers = ("Conv", "BatchNormalization", "Gemm", "Add", "Mul")
    adds = [node for node in adds if any(makers.get(name) in layers for name in node.input)]
    if adds:
        node = adds[len(adds) // 2]
        it.replace(node, [helper.make_node("Identity", [node.input[1]], list(node.output))])
    return bool(adds)


def softmax_axis(it: Planter) -> bool:
    nodes = it.nodes("Softmax")
    for node in nodes[:1]:
        _set(node, "axis", -2 if _attribute(node, "axis", -1) in (-1, 3) else -1)
    return bool(nodes)


def saturated_int8(it: Planter) -> bool:
    """A layer whose weights were rounded to int8 over half of their range."""
    name = it.layer()
    if name:

        def saturate(w: np.ndarray) -> np.ndarray:
            scale = np.abs(w).max() / 254
            return np.clip(np.round(w / scale), -127, 127) * scale

        it.change(name, saturate)
    return name is not None


FAULTS: dict[str, Callable[[Planter], bool]] = {
    "epsilon of norms 1e-3": norm_epsilon,
    "tanh for erf in GELU": tanh_for_erf,
    "padding off by one": padding_off_by_one,
    "ceil for floor": ceil_for_floor,
    "align_corners": align_corners,
    "a missing bias": missing_bias,
    "a stale weight": stale_weight,
    "a transposed weight": transposed_weight,
    "a dropped residual": dropped_residual,
    "softmax over another axis": softmax_axis,
    "a saturated int8": saturated_int8,
}
