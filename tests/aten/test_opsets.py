"""Operators in the forms of older opsets: computed as they were meant, or refused by name.

usage: test_opsets.py LOWER_MODEL
"""

from __future__ import annotations

import sys
import tempfile
import unittest
from pathlib import Path
from typing import Any

import numpy as np
from onnx import TensorProto, helper, numpy_helper
from onnx_runs import array_of, lower, run_lowered

RANDOM = np.random.default_rng(7)


def floats(*shape: int) -> np.ndarray:
    return RANDOM.standard_normal(shape, dtype=np.float32)


def softmax(x: np.ndarray, axis: int) -> np.ndarray:
    """Of the matrix that the dimensions from `axis` on are flattened into."""
    flat = x.reshape(int(np.prod(x.shape[:axis])), -1)
    powers = np.exp(flat - flat.max(1, keepdims=True))
    return (powers / powers.sum(1, keepdims=True)).reshape(x.shape)


X, ROW, CHANNELS, PLANES = floats(2, 3, 4, 5), floats(5), floats(3), floats(3, 4)
SLOPES = np.abs(CHANNELS)

# By name: opset, operator, attributes, operands (the first is an input), what is right.
COMPUTED: dict[str, tuple[int, str, dict[str, Any], list[np.ndarray], np.ndarray]] = {
    "add_6_last_axes": (6, "Add", {"broadcast": 1}, [X, ROW], X + ROW),
    "mul_6_axis_that_is_the_last": (6, "Mul", {"broadcast": 1, "axis": 3}, [X, ROW], X * ROW),
    "prelu_6_by_channel": (
        6, "PRelu", {}, [X, SLOPES], np.where(X < 0, X * SLOPES[:, None, None], X)),
    "softmax_11_of_all_but_the_batch": (11, "Softmax", {}, [X], softmax(X, 1)),
    "softmax_11_from_an_axis": (11, "Softmax", {"axis": 2}, [X], softmax(X, 2)),
    "softmax_11_of_everything": (11, "Softmax", {"axis": 0}, [X], softmax(X, 0)),
    "log_softmax_11": (11, "LogSoftmax", {"axis": -2}, [X], np.log(softmax(X, 2))),
    "softmax_13": (13, "Softmax", {}, [X], softmax(X, 3)),
    "resize_10_nearest": (
        10, "Resize", {"mode": "nearest"}, [X, np.array([1, 1, 2, 1.6], np.float32)],
        X.repeat(2, 2)[..., [0, 0, 1, 1, 2, 3, 3, 4]]),
    "clip_6": (6, "Clip", {"min": -0.5, "max": 0.25}, [X], X.clip(-0.5, 0.25)),
    "pad_10": (10, "Pad", {"pads": [0, 0, 0, 1, 0, 0, 0, 0]}, [X], np.pad(X, [(0, 0)] * 3 + [(1, 0)])),
    "slice_9": (9, "Slice", {"starts": [1], "ends": [3], "axes": [2]}, [X], X[:, :, 1:3]),
    "squeeze_11": (11, "Unsqueeze", {"axes": [0]}, [X], X[None]),
    "top_k_9": (9, "TopK", {"k": 2, "axis": 3}, [X], np.sort(X, 3)[..., :-3:-1]),
}  # fmt: skip

# By name: the same, and a word of the reason.
REFUSED: dict[str, tuple[int, str, dict[str, Any], list[np.ndarray], str]] = {
    "add_6_axis": (6, "Add", {"broadcast": 1, "axis": 1}, [X, CHANNELS], "along other axes"),
    "sub_6_axis": (6, "Sub", {"broadcast": 1, "axis": 1}, [X, PLANES], "along other axes"),
    "pow_1_axis": (1, "Pow", {"broadcast": 1, "axis": -3}, [X, CHANNELS], "along other axes"),
    "batch_norm_6_trains": (
        6, "BatchNormalization", {}, [X, CHANNELS, CHANNELS, CHANNELS, SLOPES], "training mode"),
    "batch_norm_8_of_each_element": (
        8, "BatchNormalization", {"spatial": 0}, [X, *[floats(3, 4, 5)] * 4], "each element"),
    "dropout_6_trains": (6, "Dropout", {}, [X], "training mode"),
    "hardmax_11": (11, "Hardmax", {}, [X], "flattens"),
    "resize_10_linear": (
        10, "Resize", {"mode": "linear"}, [X, np.array([1, 1, 2, 2], np.float32)], "asymmetric"),
}  # fmt: skip


def model_of(
    opset: int, op: str, attributes: dict[str, Any], operands: list[np.ndarray], last: Any
) -> Any:
    shape = last.shape if isinstance(last, np.ndarray) else operands[0].shape
    names = [f"x{i}" for i in range(len(operands))]
    outputs = ["y", "places"] if op == "TopK" else ["y"]
    node = helper.make_node(op, names, outputs, **attributes)
    given = helper.make_tensor_value_info("x0", TensorProto.FLOAT, operands[0].shape)
    made = helper.make_tensor_value_info("y", TensorProto.FLOAT, shape)
    constants = [numpy_helper.from_array(a, n) for n, a in zip(names[1:], operands[1:])]
    graph = helper.make_graph([node], op, [given], [made], constants)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)


class OpsetTest(unittest.TestCase):
    tool = ""

    def test_older_forms_are_computed_as_they_were_meant(self) -> None:
        models = {name: model_of(*case) for name, case in COMPUTED.items()}
        with tempfile.TemporaryDirectory() as folder:
            refused = lower(self.tool, Path(folder), models)
            for name, (*_, operands, expected) in COMPUTED.items():
                with self.subTest(name):
                    self.assertEqual(refused[name], "")
                    outputs = run_lowered(Path(folder) / name, operands[:1])
                    np.testing.assert_allclose(array_of(outputs[0]), expected, 1e-5, 1e-6)

    def test_what_no_rule_reads_is_refused(self) -> None:
        models = {name: model_of(*case) for name, case in REFUSED.items()}
        with tempfile.TemporaryDirectory() as folder:
            refused = lower(self.tool, Path(folder), models)
            for name, case in REFUSED.items():
                with self.subTest(name):
                    self.assertIn(case[4], refused[name])


if __name__ == "__main__":
    OpsetTest.tool = sys.argv[1]
    unittest.main(argv=sys.argv[:1])
