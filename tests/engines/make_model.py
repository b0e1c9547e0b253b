#!/usr/bin/env python3
"""Writes what the conformance suite runs: a small convolutional model, inputs, expected outputs.

Usage: make_model.py DIR. DIR gets model.onnx with its weights in model.safetensors, and
  inputs.safetensors        "x.K" float32 1x3x64x64 for K = 0..3
  expected.safetensors      "y.K" float64 1x10, computed here with numpy in double precision
  nan.safetensors           inputs whose set 1 is all NaN
  missing.safetensors       input "z" instead of "x"
  wrong_shape.safetensors   1x3x64x63
  wrong_type.safetensors    float64
  no_set_3.safetensors      sets 0..2
"""

import json
import pathlib
import struct
import sys

import numpy as np
import onnx
from onnx import TensorProto, helper

SIZE, CHANNELS, SETS = 64, 32, 4
DTYPES = {"float32": "F32", "float64": "F64"}


def write_safetensors(path: pathlib.Path, tensors: dict) -> dict:
    """Writes the file, data at a multiple of 64; returns each tensor's offset in it."""
    header, begin = {}, 0
    for name, value in tensors.items():
        header[name] = {
            "dtype": DTYPES[str(value.dtype)],
            "shape": list(value.shape),
            "data_offsets": [begin, begin + value.nbytes],
        }
        begin += value.nbytes
    text = json.dumps(header).encode()
    text += b" " * (-(len(text) + 8) % 64)
    with path.open("wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for value in tensors.values():
            file.write(value.tobytes())
    return {name: 8 + len(text) + entry["data_offsets"][0] for name, entry in header.items()}


def draw_weights(rng) -> dict:
    conv1 = rng.standard_normal((CHANNELS, 3, 3, 3)) / np.sqrt(27)
    conv2 = rng.standard_normal((CHANNELS, CHANNELS, 3, 3)) / np.sqrt(9 * CHANNELS)
    linear = rng.standard_normal((10, CHANNELS * (SIZE // 2) ** 2)) / SIZE
    weights = {
        "conv1.weight": conv1,
        "conv1.bias": rng.standard_normal(CHANNELS),
        "conv2.weight": conv2,
        "conv2.bias": rng.standard_normal(CHANNELS),
        "fc.weight": linear,
        "fc.bias": rng.standard_normal(10),
    }
    return {name: value.astype(np.float32) for name, value in weights.items()}


def write_model(folder: pathlib.Path, weights: dict) -> None:
    offsets = write_safetensors(folder / "model.safetensors", weights)
    initializers = []
    for name, value in weights.items():
        tensor = TensorProto(name=name, dims=value.shape, data_type=TensorProto.FLOAT)
        tensor.data_location = TensorProto.EXTERNAL
        for key, text in {
            "location": "model.safetensors",
            "offset": str(offsets[name]),
            "length": str(value.nbytes),
        }.items():
            tensor.external_data.add(key=key, value=text)
        initializers.append(tensor)
    nodes = [
        helper.make_node("Conv", ["x", "conv1.weight", "conv1.bias"], ["c1"], pads=[1, 1, 1, 1]),
        helper.make_node("Relu", ["c1"], ["r1"]),
        helper.make_node("Conv", ["r1", "conv2.weight", "conv2.bias"], ["c2"], pads=[1, 1, 1, 1]),
        helper.make_node("Relu", ["c2"], ["r2"]),
        helper.make_node("MaxPool", ["r2"], ["p"], kernel_shape=[2, 2], strides=[2, 2]),
        helper.make_node("Flatten", ["p"], ["f"]),
        helper.make_node("Gemm", ["f", "fc.weight", "fc.bias"], ["y"], transB=1),
    ]
    shape = [1, 3, SIZE, SIZE]
    graph = helper.make_graph(
        nodes,
        "small",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 10])],
        initializers,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10)
    onnx.save(model, folder / "model.onnx")
    onnx.checker.check_model(folder / "model.onnx")


def conv_relu(x: np.ndarray, weight: np.ndarray, bias: np.ndarray) -> np.ndarray:
    padded = np.pad(x, ((0, 0), (1, 1), (1, 1)))
    patches = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), axis=(1, 2))
    out = np.tensordot(weight, patches, axes=((1, 2, 3), (0, 3, 4)))
    return np.maximum(out + bias[:, None, None], 0)


def infer(x: np.ndarray, weights: dict) -> np.ndarray:
    """The model by its definition, in double precision."""
    w = {name: value.astype(np.float64) for name, value in weights.items()}
    hidden = conv_relu(x[0].astype(np.float64), w["conv1.weight"], w["conv1.bias"])
    hidden = conv_relu(hidden, w["conv2.weight"], w["conv2.bias"])
    pooled = hidden.reshape(CHANNELS, SIZE // 2, 2, SIZE // 2, 2).max(axis=(2, 4))
    return (w["fc.weight"] @ pooled.reshape(-1) + w["fc.bias"])[None]


def main() -> None:
    folder = pathlib.Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(7)
    weights = draw_weights(rng)
    write_model(folder, weights)
    inputs = {
        f"x.{k}": rng.standard_normal((1, 3, SIZE, SIZE)).astype(np.float32) for k in range(SETS)
    }
    expected = {f"y.{k}": infer(inputs[f"x.{k}"], weights) for k in range(SETS)}
    files = {
        "inputs": inputs,
        "expected": expected,
        "nan": inputs | {"x.1": np.full_like(inputs["x.1"], np.nan)},
        "missing": {name.replace("x", "z"): value for name, value in inputs.items()},
        "wrong_shape": {name: value[..., 1:].copy() for name, value in inputs.items()},
        "wrong_type": {name: value.astype(np.float64) for name, value in inputs.items()},
        "no_set_3": {name: value for name, value in inputs.items() if name != "x.3"},
    }
    for name, tensors in files.items():
        write_safetensors(folder / f"{name}.safetensors", tensors)


if __name__ == "__main__":
    main()
