"""Operators with random shapes and attributes: the lowering on PyTorch against ONNX Runtime.

usage: test_random.py LOWER_MODEL [SEED]

Each generator draws one node. A draw that the lowering refuses is drawn again, so that every
operator is compared on COUNT of them; the share of refusals is bounded and printed.
"""

from __future__ import annotations

import sys
import tempfile
import unittest
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper

from onnx_runs import array_of, lower, run_lowered

OPSET = 20  # what every release of ONNX Runtime of the last years knows
COUNT = 12  # comparisons for each operator
MOST_REFUSED = 0.5


@dataclass
class Draw:
    """One node: inputs that vary, operands that are constants, attributes."""

    inputs: list[np.ndarray]
    constants: list[np.ndarray | None] = field(default_factory=list)
    attributes: dict[str, Any] = field(default_factory=dict)
    outputs: int = 1


Random = np.random.Generator
GENERATORS: dict[str, Callable[[Random], Draw]] = {}


def draws(*operators: str) -> Callable:
    """Registers a generator for operators of one shape."""

    def register(generate: Callable) -> Callable:
        for operator in operators:
            GENERATORS[operator] = generate
        return generate

    return register


def floats(random: Random, *shape: int) -> np.ndarray:
    return random.standard_normal(shape, dtype=np.float32)


def tensor(random: Random, low: int = 1, high: int = 4) -> np.ndarray:
    """Any rank from low to high, dimensions 1 to 6."""
    rank = random.integers(low, high + 1)
    return floats(random, *random.integers(1, 7, rank))


def some_axis(random: Random, rank: int) -> int:
    return int(random.integers(-rank, rank))


def pads(random: Random, dimensions: int, most: int) -> list[int]:
    """Alike at both ends half of the time."""
    begin = random.integers(0, most + 1, dimensions).tolist()
    end = random.integers(0, most + 1, dimensions).tolist()
    return begin + (begin if random.random() < 0.5 else end)


def window(random: Random, padding: int = 1) -> dict[str, Any]:
    """Attributes of a kernel over two dimensions."""
    attributes = {
        "kernel_shape": random.integers(2, 4, 2).tolist(),
        "strides": random.integers(1, 3, 2).tolist(),
    }
    if random.random() < 0.25:
        return attributes | {"auto_pad": str(random.choice(["SAME_UPPER", "SAME_LOWER", "VALID"]))}
    return attributes | {"pads": pads(random, 2, padding)}


@draws("Conv")
def convolution(random: Random) -> Draw:
    group, channels = int(random.integers(1, 3)), int(random.integers(1, 4))
    attributes = window(random) | {"group": group}
    if "auto_pad" not in attributes:
        attributes["dilations"] = random.integers(1, 3, 2).tolist()
    weight = floats(random, 2 * group, channels, *attributes["kernel_shape"])
    x = floats(random, 2, channels * group, *random.integers(7, 11, 2))
    return Draw([x], [weight, floats(random, 2 * group)], attributes)


@draws("ConvTranspose")
def transposed_convolution(random: Random) -> Draw:
    group, channels = int(random.integers(1, 3)), int(random.integers(1, 4))
    attributes = window(random) | {"group": group}
    attributes["strides"] = random.integers(2, 4, 2).tolist()
    if "auto_pad" not in attributes:
        attributes["output_padding"] = random.integers(0, 2, 2).tolist()
    weight = floats(random, channels * group, 2, *attributes["kernel_shape"])
    x = floats(random, 2, channels * group, *random.integers(3, 7, 2))
    return Draw([x], [weight, floats(random, 2 * group)], attributes)


@draws("MaxPool")
def max_pool(random: Random) -> Draw:
    x = floats(random, 1, 3, *random.integers(6, 11, 2))
    return Draw([x], [], window(random) | {"ceil_mode": int(random.integers(0, 2))})


@draws("AveragePool")
def average_pool(random: Random) -> Draw:
    x = floats(random, 1, 3, *random.integers(6, 11, 2))
    return Draw([x], [], window(random) | {"count_include_pad": int(random.integers(0, 2))})


@draws("LpPool")
def power_pool(random: Random) -> Draw:
    x = floats(random, 1, 3, *random.integers(6, 11, 2))
    return Draw([x], [], window(random) | {"p": int(random.integers(1, 4))})


@draws("GlobalMaxPool", "GlobalAveragePool", "GlobalLpPool")
def global_pool(random: Random) -> Draw:
    return Draw([tensor(random, 3, 5)])


@draws("Resize")
def resize(random: Random) -> Draw:
    mode = str(random.choice(["nearest", "linear", "cubic"]))
    coordinates = ["half_pixel", "align_corners", "asymmetric", "pytorch_half_pixel"]
    attributes = {"mode": mode, "coordinate_transformation_mode": str(random.choice(coordinates))}
    if mode == "nearest":
        choices = ["round_prefer_floor", "round_prefer_ceil", "floor", "ceil"]
        attributes["nearest_mode"] = str(random.choice(choices))
    elif random.random() < 0.2:
        attributes |= {"antialias": 1, "exclude_outside": 1, "cubic_coeff_a": -0.5}
    x = floats(random, 1, 2, *random.integers(3, 8, 2))
    if random.random() < 0.5:
        sizes = np.array([*x.shape[:2], *random.integers(2, 15, 2)], np.int64)
        return Draw([x], [None, None, sizes], attributes)
    scales = np.array([1, 1, *random.choice([0.5, 0.6, 1.5, 2, 3], 2)], np.float32)
    return Draw([x], [None, scales], attributes)


@draws("GridSample")
def grid_sample(random: Random) -> Draw:
    attributes = {
        "mode": str(random.choice(["linear", "nearest", "cubic"])),
        "padding_mode": str(random.choice(["zeros", "border", "reflection"])),
        "align_corners": int(random.integers(0, 2)),
    }
    grid = random.uniform(-1.2, 1.2, (2, 4, 5, 2)).astype(np.float32)
    return Draw([floats(random, 2, 3, 6, 7), grid], [], attributes)


@draws("Pad")
def pad(random: Random) -> Draw:
    mode = str(random.choice(["constant", "edge", "reflect"]))
    x = floats(random, *random.integers(3, 7, random.integers(3, 5)))
    kept = 0 if mode == "constant" else x.ndim - 2
    amounts = random.integers(-1 if mode == "constant" else 0, 3, (2, x.ndim))
    amounts[:, :kept] = 0
    constants = [amounts.reshape(-1).astype(np.int64)]
    if mode == "constant":
        constants.append(np.array(1.5, np.float32))
    return Draw([x], constants, {"mode": mode})


@draws("Slice")
def slices(random: Random) -> Draw:
    x = tensor(random, 2, 4)
    axes = random.choice(x.ndim, random.integers(1, x.ndim + 1), replace=False)
    starts, ends = random.integers(-8, 9, (2, len(axes)))
    steps = random.choice([-2, -1, 1, 2], len(axes))
    return Draw([x], [starts, ends, axes.astype(np.int64), steps.astype(np.int64)])


@draws("Gather")
def gather(random: Random) -> Draw:
    x = tensor(random, 1, 4)
    axis = some_axis(random, x.ndim)
    shape = random.integers(1, 4, random.integers(0, 3))
    if random.random() < 0.5:  # indices from before the front are known only as constants
        size = x.shape[axis]
        return Draw([x], [random.integers(-size, size, shape)], {"axis": axis})
    return Draw([x, random.integers(0, x.shape[axis], shape)], [], {"axis": axis})


@draws("GatherElements")
def gather_elements(random: Random) -> Draw:
    x = tensor(random, 1, 4)
    axis = some_axis(random, x.ndim)
    return Draw([x, random.integers(0, x.shape[axis], x.shape)], [], {"axis": axis})


def tuples(random: Random, shape: tuple[int, ...], count: int, length: int) -> np.ndarray:
    """Different tuples that count the first `length` dimensions."""
    places = int(np.prod(shape[:length]))
    flat = random.choice(places, min(count, places), replace=False)
    return np.stack(np.unravel_index(flat, shape[:length]), -1).astype(np.int64)


@draws("GatherND")
def gather_nd(random: Random) -> Draw:
    x = tensor(random, 2, 4)
    if x.ndim > 2 and random.random() < 0.3:
        indices = random.integers(0, x.shape[1], (x.shape[0], 3, 1))
        return Draw([x, indices], [], {"batch_dims": 1})
    return Draw([x, tuples(random, x.shape, 4, int(random.integers(1, x.ndim + 1)))])


@draws("ScatterND")
def scatter_nd(random: Random) -> Draw:
    x = tensor(random, 2, 4)
    length = int(random.integers(1, x.ndim + 1))
    indices = tuples(random, x.shape, 4, length)
    updates = floats(random, len(indices), *x.shape[length:])
    return Draw([x, indices, updates], [], {"reduction": str(random.choice(["none", "add"]))})


@draws("ScatterElements")
def scatter_elements(random: Random) -> Draw:
    x = tensor(random, 1, 4)
    axis = some_axis(random, x.ndim)
    indices = np.argsort(random.random(x.shape), axis)  # different along the axis
    reduction = str(random.choice(["none", "add", "mul", "max", "min"]))
    attributes = {"axis": axis, "reduction": reduction}
    return Draw([x, indices, floats(random, *x.shape)], [], attributes)


REDUCTIONS = "L1 L2 LogSumExp Max Mean Min Prod Sum SumSquare"


@draws(*("Reduce" + name for name in REDUCTIONS.split()))
def reduce(random: Random) -> Draw:
    x = tensor(random, 1, 4)
    axes = random.choice(x.ndim, random.integers(0, x.ndim + 1), replace=False)
    axes = np.where(random.random(len(axes)) < 0.5, axes - x.ndim, axes).astype(np.int64)
    return Draw([x], [axes], {"keepdims": int(random.integers(0, 2))})


@draws("ArgMax", "ArgMin")
def extremum(random: Random) -> Draw:
    x = tensor(random)
    return Draw(
        [x], [], {"axis": some_axis(random, x.ndim), "keepdims": int(random.integers(0, 2))}
    )


@draws("Softmax", "LogSoftmax", "Hardmax")
def softmax(random: Random) -> Draw:
    x = tensor(random)
    return Draw([x], [], {"axis": some_axis(random, x.ndim)})


@draws("TopK")
def top_k(random: Random) -> Draw:
    x = tensor(random)
    axis = some_axis(random, x.ndim)
    k = np.array([random.integers(1, x.shape[axis] + 1)])
    return Draw([x], [k], {"axis": axis, "largest": int(random.integers(0, 2))}, outputs=2)


@draws("CumSum")
def cumulative(random: Random) -> Draw:
    x = tensor(random)
    attributes = {key: int(random.integers(0, 2)) for key in ("exclusive", "reverse")}
    return Draw([x], [np.array(some_axis(random, x.ndim))], attributes)


@draws("LpNormalization")
def normalisation(random: Random) -> Draw:
    x = tensor(random)
    return Draw([x], [], {"axis": some_axis(random, x.ndim), "p": int(random.integers(1, 3))})


@draws("LayerNormalization")
def layer_norm(random: Random) -> Draw:
    x = tensor(random, 2, 4)
    axis = some_axis(random, x.ndim)
    affine = [floats(random, *x.shape[axis:]) for _ in range(2)]
    return Draw([x], affine, {"axis": axis, "epsilon": 1e-3})


@draws("InstanceNormalization")
def instance_norm(random: Random) -> Draw:
    x = floats(random, *random.integers(2, 6, random.integers(3, 5)))
    return Draw([x], [floats(random, x.shape[1]) for _ in range(2)], {"epsilon": 1e-3})


@draws("LRN")
def local_response(random: Random) -> Draw:
    x = floats(random, *random.integers(2, 8, 4))
    size = 2 * int(random.integers(0, 3)) + 1  # ONNX Runtime takes odd ones only
    return Draw([x], [], {"size": size, "alpha": 0.1, "beta": 0.5, "bias": 2.0})


@draws("DepthToSpace")
def depth_to_space(random: Random) -> Draw:
    block = int(random.integers(1, 4))
    x = floats(random, 2, 3 * block * block, *random.integers(1, 5, 2))
    return Draw([x], [], {"blocksize": block, "mode": str(random.choice(["DCR", "CRD"]))})


@draws("SpaceToDepth")
def space_to_depth(random: Random) -> Draw:
    block = int(random.integers(1, 4))
    return Draw([floats(random, 2, 3, 2 * block, 3 * block)], [], {"blocksize": block})


@draws("Trilu")
def triangle(random: Random) -> Draw:
    k = np.array(random.integers(-4, 5))
    return Draw([tensor(random, 2, 4)], [k], {"upper": int(random.integers(0, 2))})


@draws("Tile")
def tile(random: Random) -> Draw:
    x = tensor(random)
    return Draw([x], [random.integers(1, 4, x.ndim)])


@draws("OneHot")
def one_hot(random: Random) -> Draw:
    indices = random.integers(-6, 7, random.integers(1, 5, 2))
    values = np.array([-1.0, 2.0], np.float32)
    axis = int(random.integers(-3, 3))
    return Draw([indices], [np.array(5, np.int64), values], {"axis": axis})


@draws("PRelu")
def prelu(random: Random) -> Draw:
    x = tensor(random, 3, 4)
    slope = floats(random, x.shape[1], *[1] * (x.ndim - 2))
    return Draw([x], [slope if random.random() < 0.5 else floats(random, *x.shape)])


@draws("LSTM")
def lstm(random: Random) -> Draw:
    return recurrent(random, gates=4, states=2, attributes={})


@draws("GRU")
def gru(random: Random) -> Draw:
    return recurrent(random, gates=3, states=1, attributes={"linear_before_reset": 1})


@draws("RNN")
def rnn(random: Random) -> Draw:
    return recurrent(random, gates=1, states=1, attributes={})


def recurrent(random: Random, gates: int, states: int, attributes: dict[str, Any]) -> Draw:
    length, batch, width, hidden = (int(size) for size in random.integers(1, 6, 4))
    directions = int(random.integers(1, 3))
    weights: list[np.ndarray | None] = [
        floats(random, directions, gates * hidden, width),
        floats(random, directions, gates * hidden, hidden),
    ]
    biased = random.random() < 0.7
    weights.append(floats(random, directions, 2 * gates * hidden) if biased else None)
    if random.random() < 0.5:
        weights += [None, *(floats(random, directions, batch, hidden) for _ in range(states))]
    direction = "bidirectional" if directions == 2 else "forward"
    attributes = attributes | {"hidden_size": hidden, "direction": direction}
    return Draw([floats(random, length, batch, width)], weights, attributes, outputs=1 + states)


@draws("QuantizeLinear")
def quantise(random: Random) -> Draw:
    x, scale, zero, attributes = quantised(random)
    return Draw([5 * x], [scale, zero], attributes)


@draws("DequantizeLinear")
def dequantise(random: Random) -> Draw:
    x, scale, zero, attributes = quantised(random)
    return Draw([(30 * x).astype(zero.dtype)], [scale, zero], attributes)


def quantised(random: Random) -> tuple[np.ndarray, np.ndarray, np.ndarray, dict[str, int]]:
    """For a whole tensor or along an axis."""
    x = tensor(random, 2, 4)
    axis = some_axis(random, x.ndim)
    shape = () if random.random() < 0.5 else (x.shape[axis],)
    dtype = random.choice([np.int8, np.uint8])
    zero = random.integers(0, 100, shape).astype(dtype)
    return x, random.uniform(0.01, 0.1, shape).astype(np.float32), zero, {"axis": axis}


def model_of(operator: str, draw: Draw) -> onnx.ModelProto:
    """One node; the inputs in front, then the constants."""
    names = [f"x{i}" for i in range(len(draw.inputs))]
    constants = [f"c{i}" if c is not None else "" for i, c in enumerate(draw.constants)]
    outputs = [f"y{i}" for i in range(draw.outputs)]
    node = helper.make_node(operator, names + constants, outputs, **draw.attributes)
    graph = helper.make_graph(
        [node],
        operator,
        [
            helper.make_tensor_value_info(
                name, helper.np_dtype_to_tensor_dtype(array.dtype), array.shape
            )
            for name, array in zip(names, draw.inputs)
        ],
        [helper.make_tensor_value_info(name, TensorProto.UNDEFINED, None) for name in outputs],
        [
            onnx.numpy_helper.from_array(np.asarray(array), name)
            for name, array in zip(constants, draw.constants)
            if array is not None
        ],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)])
    model.ir_version = 10
    return onnx.shape_inference.infer_shapes(model, data_prop=True)


def reference(model: onnx.ModelProto, inputs: list[np.ndarray]) -> list[np.ndarray]:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 4
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
    return session.run(None, {f"x{i}": array for i, array in enumerate(inputs)})


class RandomTest(unittest.TestCase):
    tool = ""
    seed = 0

    def test_agrees_with_onnx_runtime(self) -> None:
        warnings.simplefilter("ignore")
        drawn: dict[str, Draw] = {}
        for index, (operator, generate) in enumerate(GENERATORS.items()):
            random = np.random.default_rng([self.seed, index])
            drawn |= {f"{operator}.{i}": generate(random) for i in range(2 * COUNT)}
        models = {name: model_of(name.split(".")[0], draw) for name, draw in drawn.items()}
        with tempfile.TemporaryDirectory() as folder:
            refusals = lower(self.tool, Path(folder), models)
            for operator in GENERATORS:
                names = [name for name in models if name.split(".")[0] == operator]
                refused = [refusals[name] for name in names if refusals[name]]
                if refused:
                    print(f"{operator}: {len(refused)} of {len(names)} refused: {refused[0]}")
                self.assertLessEqual(len(refused), MOST_REFUSED * len(names), operator)
                for name in [name for name in names if not refusals[name]][:COUNT]:
                    with self.subTest(name, **drawn[name].attributes):
                        self.compare(models[name], drawn[name], Path(folder) / name)

    def compare(self, model: onnx.ModelProto, draw: Draw, folder: Path) -> None:
        outputs = run_lowered(folder, draw.inputs)
        for output, expected in zip(outputs, reference(model, draw.inputs), strict=True):
            self.assertEqual(array_of(output).dtype, expected.dtype)
            np.testing.assert_allclose(array_of(output), expected, rtol=1e-4, atol=1e-5)


if __name__ == "__main__":
    RandomTest.tool = sys.argv[1]
    RandomTest.seed = int(sys.argv[2]) if len(sys.argv) > 2 else 0
    unittest.main(argv=sys.argv[:1])
