#!/usr/bin/env python3
"""Writes small ONNX files whose inputs have to mean something, into the working folder.

Usage: make_input_models.py

  classes.onnx      one-hot by comparison with 0 to 29, of integers
  distances.onnx    a root and a logarithm of what it is given
  masked.onnx       attention that a mask of 0s and 1s blocks
  pixels.onnx       subtracts the means of pixels
  grows.onnx        overflows in float32 for all but small inputs
  blocked.onnx      minus infinity in half of its outputs, whatever it is given
  undefined.onnx    the logarithm of a product: NaN for half of any inputs; inputs.npy too
"""

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

RANDOM = np.random.default_rng(0)
FLOAT, INT = TensorProto.FLOAT, TensorProto.INT64
node = helper.make_node


def constant(name: str, value: object, dtype: type = np.float32) -> onnx.TensorProto:
    return numpy_helper.from_array(np.asarray(value, dtype), name)


def weights(*shape: int) -> onnx.TensorProto:
    return constant("w", RANDOM.standard_normal(shape) / np.sqrt(shape[0]))


def save(name: str, nodes: list, inputs: dict, output: list[int], constants: list) -> None:
    graph = helper.make_graph(
        nodes,
        name,
        [helper.make_tensor_value_info(key, *value) for key, value in inputs.items()],
        [helper.make_tensor_value_info("y", FLOAT, output)],
        constants,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model, full_check=True)
    onnx.save(model, f"{name}.onnx")


def main() -> None:
    x = {"x": (FLOAT, [1, 32])}
    product = node("MatMul", ["x", "w"], ["h"])
    save(
        "classes",
        [
            node("Unsqueeze", ["ids", "last"], ["u"]),
            node("Equal", ["u", "all"], ["e"]),
            node("Cast", ["e"], ["f"], to=FLOAT),
            node("MatMul", ["f", "w"], ["y"]),
        ],
        {"ids": (INT, [1, 20])},
        [1, 20, 8],
        [constant("last", [-1], np.int64), constant("all", np.arange(30), np.int64), weights(30, 8)],
    )
    save(
        "distances",
        [
            node("Sqrt", ["x"], ["s"]),
            node("Log", ["x"], ["l"]),
            node("Add", ["s", "l"], ["a"]),
            node("MatMul", ["a", "w"], ["y"]),
        ],
        x,
        [1, 8],
        [weights(32, 8)],
    )
    save(
        "masked",
        [
            node("Cast", ["mask"], ["f"], to=FLOAT),
            node("Sub", ["one", "f"], ["n"]),
            node("Mul", ["n", "big"], ["b"]),
            node("Add", ["x", "b"], ["s"]),
            node("Softmax", ["s"], ["y"], axis=-1),
        ],
        {"x": (FLOAT, [1, 32]), "mask": (INT, [1, 32])},
        [1, 32],
        [constant("one", 1), constant("big", -10000)],
    )
    save(
        "pixels",
        [node("Sub", ["x", "means"], ["c"]), node("Conv", ["c", "w"], ["y"])],
        {"x": (FLOAT, [1, 3, 8, 8])},
        [1, 4, 6, 6],
        [constant("means", np.reshape([123.7, 116.3, 103.5], (1, 3, 1, 1))), weights(4, 3, 3, 3)],
    )
    save(
        "grows",
        [
            product,
            node("Mul", ["h", "k"], ["a"]),
            node("Exp", ["a"], ["e"]),
            node("ReduceSum", ["e"], ["s"]),
            node("Div", ["e", "s"], ["y"]),
        ],
        x,
        [1, 8],
        [weights(32, 8), constant("k", 200)],
    )
    barrier = np.zeros((1, 8))
    barrier[0, 4:] = -np.inf
    save(
        "blocked",
        [product, node("Add", ["h", "barrier"], ["m"]), node("LogSoftmax", ["m"], ["y"], axis=-1)],
        x,
        [1, 8],
        [weights(32, 8), constant("barrier", barrier)],
    )
    save("undefined", [product, node("Log", ["h"], ["y"])], x, [1, 8], [weights(32, 8)])
    np.save("inputs", RANDOM.uniform(-1, 1, (4, 32)).astype(np.float32))


if __name__ == "__main__":
    main()
