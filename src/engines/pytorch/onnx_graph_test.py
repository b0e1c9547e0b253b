"""Quantised ONNX graphs: what each method of calibration makes of the same samples."""

import pathlib
import shutil
import tempfile
import unittest
from typing import Any

import numpy
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper
from safetensors.numpy import save_file

from . import onnx_graph
from .kit_test import JOB, RECIPE
from .protocol import EngineError, Job, job_of

_SAMPLES = 8
_OUTLIER = 20.0


def _model() -> onnx.ModelProto:
    """Two convolutions and a mean, 1x3x16x16 in."""
    random = numpy.random.default_rng(0)

    def weight(name: str, *shape: int) -> TensorProto:
        return numpy_helper.from_array(random.standard_normal(shape).astype("f4") * 0.2, name)

    nodes = [
        helper.make_node("Conv", ["x", "first"], ["a"], pads=[1] * 4),
        helper.make_node("Relu", ["a"], ["b"]),
        helper.make_node("Conv", ["b", "second"], ["c"], pads=[1] * 4),
        helper.make_node("GlobalAveragePool", ["c"], ["y"]),
    ]
    graph = helper.make_graph(
        nodes,
        "small",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 3, 16, 16])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 8, 1, 1])],
        [weight("first", 8, 3, 3, 3), weight("second", 8, 8, 3, 3)],
    )
    opsets = [helper.make_opsetid("", 17)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=8)


class StaticInt8Test(unittest.TestCase):
    @classmethod
    def setUpClass(cls) -> None:
        cls.folder = pathlib.Path(tempfile.mkdtemp())
        cls.addClassCleanup(shutil.rmtree, cls.folder)
        onnx.save(_model(), cls.folder / "model.onnx")
        random = numpy.random.default_rng(1)
        cls.samples = {
            f"x.{k}": random.standard_normal((1, 3, 16, 16)).astype("f4") for k in range(_SAMPLES)
        }
        for sample in cls.samples.values():
            sample[0, 0, 0, 0] = _OUTLIER
        save_file(cls.samples, cls.folder / "inputs.safetensors")

    def job(self, method: str) -> Job:
        artifact = self.folder / method
        artifact.mkdir(exist_ok=True)
        recipe = {
            "compiler": "onnxruntime", "quantisation": "static_int8",
            "weights": "int8", "activations": "int8", "calibration": method,
        }  # fmt: skip
        return job_of(JOB | {
            "recipe": RECIPE | recipe, "onnx": str(self.folder / "model.onnx"),
            "artifact": str(artifact), "inputs": str(self.folder / "inputs.safetensors"),
            "input_sets": _SAMPLES,
        })  # fmt: skip

    def scale_of_input(self, job: Job) -> float:
        graph = onnx.load(f"{job.artifact}/model.onnx").graph
        (scale,) = [numpy_helper.to_array(i) for i in graph.initializer if i.name == "x_scale"]
        return float(scale)

    def error(self, job: Job) -> float:
        def run(path: str, sample: Any) -> Any:
            return onnxruntime.InferenceSession(path).run(None, {"x": sample})[0]

        distances = []
        for sample in self.samples.values():
            want = run(job.onnx, sample)
            apart = run(f"{job.artifact}/model.onnx", sample) - want
            distances.append(numpy.linalg.norm(apart) / numpy.linalg.norm(want))
        return max(distances)

    def test_methods_differ_in_what_they_do_with_an_outlier(self) -> None:
        scales = {}
        for method in ("minmax", "percentile", "entropy"):
            job = self.job(method)
            notes = onnx_graph.prepare(job)
            self.assertIn("int8 kernels: 2 of 2", " ".join(notes))
            self.assertLess(self.error(job), 0.2, method)
            scales[method] = self.scale_of_input(job)
        low = min(sample.min() for sample in self.samples.values())
        self.assertAlmostEqual(scales["minmax"], (_OUTLIER - low) / 255, 4)
        self.assertLess(scales["entropy"], 0.7 * scales["minmax"])
        self.assertNotEqual(scales["percentile"], scales["minmax"])

    def test_a_method_that_there_is_not_is_refused(self) -> None:
        with self.assertRaisesRegex(EngineError, "no calibration method 'magic'"):
            onnx_graph.prepare(self.job("magic"))


if __name__ == "__main__":
    unittest.main()
