"""ONNX files at the edges of what a user may bring: very large, very many nodes, empty, unreadable.

Weights whose values do not matter are files with holes, which take no room on the disk.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

WIDTH = 8  # of the network of many nodes


def save(path: Path, nodes: list, inputs: dict, outputs: dict, weights: list = (), domains: tuple = ()) -> Path:
    """inputs, outputs  shapes of float32 by name"""
    def values(shapes: dict) -> list:
        return [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)
                for name, shape in shapes.items()]  # fmt: skip

    graph = helper.make_graph(nodes, "g", values(inputs), values(outputs), list(weights))
    opsets = [helper.make_opsetid("", 20), *(helper.make_opsetid(name, 1) for name in domains)]
    path.write_bytes(helper.make_model(graph, opset_imports=opsets, ir_version=9).SerializeToString())
    return path


def constant(name: str, array: list | np.ndarray) -> TensorProto:
    return numpy_helper.from_array(np.asarray(array, np.float32), name)


def external(name: str, shape: list[int], location: str) -> TensorProto:
    tensor = TensorProto(name=name, data_type=TensorProto.FLOAT, dims=shape)
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value=location)
    return tensor


def large(path: Path, width: int) -> Path:
    """A product with a matrix of width x width external floats: ones in its first row, then holes."""
    with (path.parent / "large.bin").open("wb") as file:
        file.write(np.ones(width, np.float32).tobytes())
        file.truncate(4 * width * width)
    nodes = [helper.make_node("MatMul", ["x", "w"], ["y"])]
    return save(path, nodes, {"x": [1, width]}, {"y": [1, width]}, [external("w", [width, width], "large.bin")])


def large_inside(path: Path, width: int) -> Path:
    """The same with the matrix in the file itself."""
    matrix = np.zeros((width, width), np.float32)
    matrix[0] = 1
    nodes = [helper.make_node("MatMul", ["x", "w"], ["y"])]
    return save(path, nodes, {"x": [1, width]}, {"y": [1, width]}, [constant("w", matrix)])


def many_nodes(path: Path, count: int) -> Path:
    """A residual network of at least `count` nodes, 8 in a block: linear, GELU by Erf, addition."""
    rng = np.random.default_rng(0)
    weights = [
        constant("w", rng.standard_normal((WIDTH, WIDTH)) / WIDTH / 10),  # small: blocks add up
        constant("b", rng.standard_normal(WIDTH) / 100),
        constant("root", np.sqrt(2)), constant("one", 1), constant("half", 0.5),
    ]  # fmt: skip
    nodes, x = [], "x"
    for i in range(-(-count // 8)):
        steps = [("MatMul", x, "w"), ("Add", f"0.{i}", "b"), ("Div", f"1.{i}", "root"), ("Erf", f"2.{i}"),
                 ("Add", f"3.{i}", "one"), ("Mul", f"1.{i}", f"4.{i}"), ("Mul", f"5.{i}", "half"),
                 ("Add", x, f"6.{i}")]  # fmt: skip
        nodes += [helper.make_node(op, list(operands), [f"{k}.{i}"], name=f"block{i}.{k}")
                  for k, (op, *operands) in enumerate(steps)]  # fmt: skip
        x = f"7.{i}"
    nodes[-1].output[0] = "y"
    return save(path, nodes, {"x": [1, WIDTH]}, {"y": [1, WIDTH]}, weights)


def linear(path: Path, rows: int, weight: float) -> Path:
    """x [rows, 3] times a matrix that is all `weight`, which may be NaN."""
    nodes = [helper.make_node("MatMul", ["x", "w"], ["y"], name="product")]
    return save(path, nodes, {"x": [rows, 3]}, {"y": [rows, 2]}, [constant("w", np.full((3, 2), weight))])


def empty_past(path: Path) -> Path:
    """One input has no elements, as a cache has before the first step; another has."""
    nodes = [helper.make_node("Concat", ["past", "x"], ["y"], axis=1)]
    return save(path, nodes, {"x": [1, 2, 4], "past": [1, 0, 4]}, {"y": [1, 2, 4]})


def other_domain(path: Path) -> Path:
    nodes = [helper.make_node("Relu", ["x"], ["a"]),
             helper.make_node("Thing", ["a"], ["y"], name="odd", domain="com.other")]  # fmt: skip
    return save(path, nodes, {"x": [2]}, {"y": [2]}, domains=("com.other",))


def branch(path: Path) -> Path:
    def body(op: str) -> onnx.GraphProto:
        made = helper.make_tensor_value_info("z", TensorProto.FLOAT, [2])
        return helper.make_graph([helper.make_node(op, ["x"], ["z"])], op, [], [made])

    nodes = [helper.make_node("ReduceSum", ["x"], ["s"], keepdims=0), helper.make_node("Cast", ["s"], ["c"], to=9),
             helper.make_node("If", ["c"], ["y"], name="choice", then_branch=body("Relu"), else_branch=body("Neg"))]  # fmt: skip
    return save(path, nodes, {"x": [2]}, {"y": [2]})


def loop(path: Path) -> Path:
    def value(name: str, kind: int, shape: list) -> onnx.ValueInfoProto:
        return helper.make_tensor_value_info(name, kind, shape)

    body = helper.make_graph(
        [helper.make_node("Relu", ["a"], ["z"]), helper.make_node("Identity", ["c"], ["d"])],
        "body",
        [value("i", 7, []), value("c", 9, []), value("a", 1, [2])],
        [value("d", 9, []), value("z", 1, [2])],
    )
    trips = numpy_helper.from_array(np.array(3, np.int64), "n")
    nodes = [helper.make_node("Loop", ["n", "", "x"], ["y"], name="repeat", body=body)]
    return save(path, nodes, {"x": [2]}, {"y": [2]}, [trips])


if __name__ == "__main__":  # FILE COUNT: for bench/models
    many_nodes(Path(sys.argv[1]), int(sys.argv[2]))
