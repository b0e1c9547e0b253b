import unittest

import numpy as np
import onnx
import torch
from onnx import TensorProto, numpy_helper

from . import widened
from .protocol import EngineError


def parsed(graph: str, opset: int = 20) -> onnx.ModelProto:
    return onnx.parser.parse_model(f'<ir_version: 9, opset_import: ["" : {opset}, "ai.onnx.ml" : 3]> {graph}')


def run(model: onnx.ModelProto, **inputs: np.ndarray) -> list:
    return widened._in_evaluator(widened.widen(model))(inputs)


class WidenedTest(unittest.TestCase):
    def test_floats_are_computed_in_float64(self) -> None:
        model = parsed("agraph (float[2] x) => (float[2] y) <float[2] w = {3, 7}> { q = Div(x, w) y = Exp(q) }")
        x = np.array([1, 2], np.float32)
        np.testing.assert_allclose(run(model, x=x)[0], np.exp(x.astype(np.float64) / [3, 7]), rtol=1e-15)

    def test_both_branches_and_what_they_read_of_the_graph_around_are_widened(self) -> None:
        model = parsed("""agraph (bool c, float[2] x) => (float[2] y) <float[2] w = {3, 7}> {
            h = Div(x, w) y = If (c) <then_branch = a () => (float[2] p) { p = Sin(h) },
                                      else_branch = b () => (float[2] q) { q = Div(h, w) }> }""")
        x = np.array([1, 2], np.float32)
        h = x.astype(np.float64) / [3, 7]
        for condition, expected in ((True, np.sin(h)), (False, h / [3, 7])):
            np.testing.assert_allclose(run(model, c=np.array(condition), x=x)[0], expected, rtol=1e-15)

    def test_operands_without_float64_are_rounded_just_there(self) -> None:
        model = parsed("""agraph (float[1,1,2,2] x) => (float[1,1,4,4] y) <float[4] s = {1, 1, 2, 2}> {
            h = Sin(x) y = Resize<mode = "nearest">(h, , s) }""")
        wide = widened.widen(model)
        (resize,) = (node for node in wide.graph.node if node.op_type == "Resize")
        casts = {node.output[0]: node for node in wide.graph.node if node.op_type == "Cast"}
        self.assertEqual(casts[resize.input[2]].attribute[0].i, TensorProto.FLOAT)
        self.assertNotIn(resize.input[0], casts)

    def test_casts_to_float_keep_all_digits(self) -> None:
        model = parsed("agraph (float[1] x) => (float[1] y) { a = Exp(x) b = Cast<to = 1>(a) y = Log(b) }")
        np.testing.assert_allclose(run(model, x=np.array([0.3], np.float32))[0], [np.float32(0.3)], rtol=1e-15)

    def test_half_precision_is_widened_too(self) -> None:
        model = parsed("agraph (float16[1] x) => (float16[1] y) { y = Exp(x) }")
        x = np.array([0.3], np.float16)
        np.testing.assert_allclose(run(model, x=x)[0], np.exp(x.astype(np.float64)), rtol=1e-15)

    def test_a_convolution_pads_as_it_is_told(self) -> None:
        weights = numpy_helper.from_array(np.array([[[1, 10]]], np.float32), "w")
        for pad, expected in (("SAME_UPPER", [21, 32, 3]), ("SAME_LOWER", [10, 21, 32])):
            model = parsed(f'agraph (float[1,1,3] x) => (float[1,1,N] y) {{ y = Conv<auto_pad = "{pad}">(x, w) }}')
            model.graph.initializer.append(weights)
            out = run(model, x=np.array([[[1, 2, 3]]], np.float32))[0]
            np.testing.assert_array_equal(out[0, 0], expected)

    def test_operators_of_other_domains_are_refused_by_name(self) -> None:
        model = parsed("agraph (float[1] x) => (float[1] y) { y = com.acme.Magic(x) }")
        with self.assertRaisesRegex(EngineError, "Magic"):
            widened.widen(model)

    def test_what_is_no_tensor_is_taken_apart(self) -> None:
        value = [{"b": 0.5, "a": 0.25}, np.array([1, 2])]
        found = {name: tensor.tolist() for name, tensor in widened.tensors_of("p", value)}
        self.assertEqual(found, {"p[0].keys": [[98], [97]], "p[0].values": [0.5, 0.25], "p[1]": [1, 2]})
        self.assertEqual(list(widened.tensors_of("p", None)), [])

    def test_text_goes_there_and_back(self) -> None:
        words = np.array([["a", ""], ["wärme", "b"]], dtype=object)
        ((_, tensor),) = widened.tensors_of("t", words)
        self.assertEqual(tensor.dtype, torch.uint8)
        self.assertTrue((widened._given(tensor, text=True) == words).all())


if __name__ == "__main__":
    unittest.main()
