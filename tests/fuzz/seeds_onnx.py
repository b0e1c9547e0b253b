"""ONNX files for the fuzzers: every operator of the standard as its own cases have it, and what
single operators do not show.
"""

from __future__ import annotations

import warnings

import numpy as np
import onnx
import onnx.parser
from google.protobuf import text_format
from onnx import TensorProto, helper, numpy_helper
from onnx.backend.test.loader import load_node_model_tests

MOST_BYTES = 20_000  # larger seeds only slow a fuzzer down

OPSET = '<ir_version: 9, opset_import: ["" : 20]> '

# What the reader and the lowering do beyond single operators.
GRAPHS = {
    "open_dimension": "g (float[N, 3] x) => (float[N, 3] y) { y = Relu(x) }",
    "shape_arithmetic": """g (float[2, 3, 4] x) => (float[2, 12] y)
        <int64[1] zero = {0}, int64[1] rest = {-1}> {
          s = Shape(x)  b = Gather(s, zero)  t = Concat<axis = 0>(b, rest)  y = Reshape(x, t) }""",
    "range_and_slice": """g (float[8, 2] x) => (float[3, 2] y)
        <int64 a = {0}, int64 e = {6}, int64 d = {2}, int64[1] b = {-1}, int64[1] n = {-9}, int64[1] m = {-1}, int64[1] z = {0}> {
          r = Range(a, e, d)  q = Slice(r, b, n, z, m)  y = Gather(x, q) }""",
    "linear_gelu": """g (float[2, 4] x) => (float[2, 4] y)
        <float[4, 4] w = {1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16}, float[4] b = {1,2,3,4}, float r = {1.41421356}, float o = {1}, float h = {0.5}> {
          m = MatMul(x, w)  a = Add(m, b)  d = Div(a, r)  e = Erf(d)  p = Add(e, o)
          q = Mul(a, p)  y = Mul(q, h) }""",
    "swish_and_norm": """g (float[2, 4] x) => (float[2, 4] y)
        <float[4] s = {1,1,1,1}, float[4] b = {0,0,0,0}, float two = {2}, float eps = {0.00001}> {
          m = ReduceMean<axes = [-1]>(x)  c = Sub(x, m)  q = Pow(c, two)  v = ReduceMean<axes = [-1]>(q)
          e = Add(v, eps)  r = Sqrt(e)  n = Div(c, r)  g = Mul(n, s)  l = Add(g, b)
          t = Sigmoid(l)  y = Mul(l, t) }""",
    "attention": """g (float[1, 2, 3, 4] q, float[1, 2, 4, 3] k, float[1, 2, 3, 4] v) => (float[1, 2, 3, 4] y)
        <float c = {2}> {
          s = MatMul(q, k)  d = Div(s, c)  p = Softmax<axis = -1>(d)  y = MatMul(p, v) }""",
    "if": """g (bool c, float[2] x) => (float[2] y) {
          y = If(c) <then_branch = t () => (float[2] a) { a = Relu(x) },
                     else_branch = e () => (float[2] b) { b = Neg(x) }> }""",
    "other_domain": '<ir_version: 9, opset_import: ["" : 20, "com.other" : 1]> '
    "g (float[2] x) => (float[2] y) { y = com.other.Thing(x) }",
    "unused_and_unnamed": """g (float[2] x, float[0] n) => (float[2] y, float[0] m) {
          a, b = Dropout(x)  c = Neg(x)  y = Identity(a)  m = Identity(n) }""",
}  # fmt: skip


def from_text(text: str) -> bytes:
    whole = text if text.lstrip().startswith("<") else OPSET + text
    return onnx.parser.parse_model(whole).SerializeToString()


def from_textproto(text: str) -> bytes:
    model = onnx.ModelProto()
    text_format.Parse(text, model)
    return model.SerializePartialToString()


def external() -> bytes:
    """Weights in the target's model.safetensors (offsets as its writer lays them out) and data.bin."""
    def point(name: str, dtype: int, dims: list[int], entries: dict[str, str]) -> TensorProto:
        tensor = TensorProto(name=name, data_type=dtype, dims=dims)
        tensor.data_location = TensorProto.EXTERNAL
        for key, value in entries.items():
            tensor.external_data.add(key=key, value=value)
        return tensor

    initializers = [
        point("w", TensorProto.FLOAT, [4, 3], {"location": "data.bin", "offset": "16", "length": "48"}),
        point("s", TensorProto.INT64, [2], {"location": "data.bin"}),
        point("v", TensorProto.FLOAT, [4, 3], {"location": "model.safetensors", "offset": "192"}),
    ]
    nodes = [helper.make_node("MatMul", ["x", "w"], ["a"]), helper.make_node("MatMul", ["x", "v"], ["b"]),
             helper.make_node("Add", ["a", "b"], ["y"])]  # fmt: skip
    graph = helper.make_graph(
        nodes,
        "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [2, 4])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [2, 3])],
        initializers,
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=9).SerializeToString()


def with_constants(model: onnx.ModelProto, inputs: list, kept: int) -> onnx.ModelProto:
    """The model with all its inputs but the first `kept` as initializers, so that they are folded."""
    made = onnx.ModelProto()
    made.CopyFrom(model)
    for value, array in zip(model.graph.input[kept:], inputs[kept:]):
        tensor = array if isinstance(array, TensorProto) else numpy_helper.from_array(np.asarray(array))
        initializer = made.graph.initializer.add()
        initializer.CopyFrom(tensor)
        initializer.name = value.name
    del made.graph.input[kept:]
    return made


def standard_cases() -> dict[str, bytes]:
    """The standard's own cases; each also with its other inputs, or all of them, as constants."""
    seeds = {}
    for case in load_node_model_tests():
        inputs = list(case.data_sets[0][0])
        tensors = all(value.type.HasField("tensor_type") for value in case.model.graph.input)
        for kept in {len(inputs), min(1, len(inputs)), 0} if tensors else {len(inputs)}:
            content = with_constants(case.model, inputs, kept).SerializeToString()
            if len(content) <= MOST_BYTES:
                seeds[f"{case.name}.{kept}"] = content
    return seeds


def seeds() -> dict[str, bytes]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        made = standard_cases()
    made |= {name: from_text(text) for name, text in GRAPHS.items()}
    made["external"] = external()
    made["cut"] = made["attention"][:100]
    made["no_utf8"] = from_text("g (float[2] x) => (float[2] name) { name = Relu(x) }").replace(b"name", b"n\xff\xc3e")
    return made
