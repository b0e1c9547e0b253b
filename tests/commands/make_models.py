#!/usr/bin/env python3
"""Writes small ONNX files into the working folder, for cases that run them.

Usage: make_models.py

  fp16.onnx bf16.onnx   a network whose every number is of that type
  fp16_inside.onnx      the same between casts: float32 at both ends
  qdq.onnx              in float32, quantised by ONNX Runtime's static quantiser
  fixed.onnx            in float32, its batch of 1 fixed, in a Reshape too
  mixing.onnx           subtracts the mean over the batch: right shapes with any batch, other values
"""

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

SHAPES = {
    "c1.weight": (16, 3, 3, 3),
    "c1.bias": (16,),
    "c2.weight": (32, 16, 3, 3),
    "c2.bias": (32,),
    "fc.weight": (10, 2048),
    "fc.bias": (10,),
}


def weights(dtype: int) -> list[onnx.TensorProto]:
    random = np.random.default_rng(0)
    made = []
    for name, shape in SHAPES.items():
        fan_in = np.prod(shape[1:]) if len(shape) > 1 else 100
        values = (random.standard_normal(shape) / np.sqrt(fan_in)).astype(np.float32)
        if dtype == TensorProto.BFLOAT16:
            raw = (values.view(np.uint32) >> 16).astype(np.uint16).tobytes()
        else:
            raw = values.astype(helper.tensor_dtype_to_np_dtype(dtype)).tobytes()
        made.append(helper.make_tensor(name, dtype, shape, raw, raw=True))
    return made


def save(name: str, nodes: list, ends: int, initializers: list, outputs: list[int]) -> None:
    graph = helper.make_graph(
        nodes,
        name,
        [helper.make_tensor_value_info("x", ends, [1, 3, 16, 16])],
        [helper.make_tensor_value_info("y", ends, outputs)],
        initializers,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 22)], ir_version=10)
    onnx.checker.check_model(model, full_check=True)
    onnx.save(model, f"{name}.onnx")


def network(name: str, dtype: int, ends: int) -> None:
    """Two convolutions and a linear layer; casts where the ends are of another type."""
    cast = ends != dtype
    nodes = [helper.make_node("Cast", ["x"], ["in"], to=dtype)] if cast else []
    nodes += [
        helper.make_node("Conv", ["in" if cast else "x", "c1.weight", "c1.bias"], ["a"],
                         name="c1", pads=[1, 1, 1, 1]),
        helper.make_node("Relu", ["a"], ["b"], name="r1"),
        helper.make_node("Conv", ["b", "c2.weight", "c2.bias"], ["c"],
                         name="c2", pads=[1, 1, 1, 1], strides=[2, 2]),
        helper.make_node("Relu", ["c"], ["d"], name="r2"),
        helper.make_node("Reshape", ["d", "flat"], ["e"], name="flatten"),
        helper.make_node("Gemm", ["e", "fc.weight", "fc.bias"], ["out" if cast else "y"],
                         name="fc", transB=1),
    ]  # fmt: skip
    nodes += [helper.make_node("Cast", ["out"], ["y"], to=ends)] if cast else []
    flat = numpy_helper.from_array(np.array([1, 2048], np.int64), "flat")
    save(name, nodes, ends, [*weights(dtype), flat], [1, 10])


def mixing() -> None:
    axes = numpy_helper.from_array(np.array([0], np.int64), "axes")
    # A half of the mean, so that a batch of one does not give nothing but zeros.
    half = numpy_helper.from_array(np.array(0.5, np.float32), "half")
    nodes = [
        helper.make_node("ReduceMean", ["x", "axes"], ["mean"], keepdims=1),
        helper.make_node("Mul", ["mean", "half"], ["part"]),
        helper.make_node("Sub", ["x", "part"], ["y"]),
    ]
    save("mixing", nodes, TensorProto.FLOAT, [axes, half], [1, 3, 16, 16])


def quantised() -> None:
    from onnxruntime.quantization import (
        CalibrationDataReader,
        QuantFormat,
        QuantType,
        quantize_static,
    )

    class Inputs(CalibrationDataReader):
        def __init__(self) -> None:
            random = np.random.default_rng(1)
            draws = (random.uniform(-1, 1, (1, 3, 16, 16)).astype(np.float32) for _ in range(8))
            self._inputs = ({"x": x} for x in draws)

        def get_next(self) -> dict | None:
            return next(self._inputs, None)

    quantize_static(
        "fixed.onnx",
        "qdq.onnx",
        Inputs(),
        quant_format=QuantFormat.QDQ,
        per_channel=True,
        reduce_range=True,  # without VNNI, sums of 8-bit products saturate in 16 bits
        weight_type=QuantType.QInt8,
        activation_type=QuantType.QUInt8,
    )


network("fp16", TensorProto.FLOAT16, TensorProto.FLOAT16)
network("bf16", TensorProto.BFLOAT16, TensorProto.BFLOAT16)
network("fp16_inside", TensorProto.FLOAT16, TensorProto.FLOAT)
network("fixed", TensorProto.FLOAT, TensorProto.FLOAT)
mixing()
quantised()
