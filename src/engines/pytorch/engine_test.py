"""The engine as a program, on a small model: eager, torch.compile from its cache, AOTInductor.

ASSAY_ENGINES names the folder of assay-engine-pytorch and assay-engine-torch.
"""

import json
import os
import pathlib
import shutil
import socket
import subprocess
import tempfile
import unittest
from typing import Any

import torch
from safetensors.torch import load_file, save_file

from .kit_test import JOB, RECIPE
from .protocol import read_frame, write_frame

SETS = 3


def make_weights() -> dict[str, torch.Tensor]:
    torch.manual_seed(0)
    return {
        "conv.weight": torch.rand(8, 3, 3, 3) - 0.5,
        "conv.bias": torch.rand(8) - 0.5,
        "fc.weight": torch.rand(10, 8 * 16 * 16) - 0.5,
        "fc.bias": torch.rand(10) - 0.5,
    }


def make_program(weights: dict[str, torch.Tensor]) -> dict[str, Any]:
    """conv2d, relu in place, two results that are both outputs."""
    refs = [{"value": id} for id in range(10)]

    def call(op: str, overload: str, arguments: list[Any], result: int) -> dict[str, Any]:
        name = f"aten::{op}"
        return {"op": name, "overload": overload, "arguments": arguments, "results": [result],
                "frees": [], "node": op}  # fmt: skip

    def value(id: int, shape: list[int], **facts: str) -> dict[str, Any]:
        return {"id": id, "dtype": "float32", "shape": shape} | facts

    return {
        "schema": "assay.aten/1",
        "name": "small",
        "inputs": [value(0, [1, 3, 16, 16], name="x")],
        "weights": [
            value(id, list(weight.shape), tensor=name, file="model.safetensors")
            for id, (name, weight) in enumerate(weights.items(), start=1)
        ],
        "constants": [],
        "calls": [
            call("conv2d", "", [refs[0], refs[1], refs[2], [1, 1], [1, 1]], 5),
            call("relu_", "", [refs[5]], 6),
            call("flatten", "using_ints", [refs[6], 1], 7),
            call("linear", "", [refs[7], refs[3], refs[4]], 8),
            call("softmax", "int", [refs[8], -1], 9),
        ],
        "outputs": [value(9, [1, 10], name="p"), value(8, [1, 10], name="y")],
        "value_count": 10,
    }


def expected(weights: dict[str, torch.Tensor], x: torch.Tensor) -> dict[str, torch.Tensor]:
    x = torch.conv2d(x, weights["conv.weight"], weights["conv.bias"], padding=1).relu()
    y = torch.nn.functional.linear(x.flatten(1), weights["fc.weight"], weights["fc.bias"])
    return {"p": y.softmax(-1), "y": y}


class EngineProcess:
    """One engine and a socket to it; a context."""

    def __init__(self, name: str, folder: pathlib.Path) -> None:
        self._socket, theirs = socket.socketpair()
        program = pathlib.Path(os.environ["ASSAY_ENGINES"]) / f"assay-engine-{name}"
        with theirs:
            self._process = subprocess.Popen(
                [program, "--protocol-fd", str(theirs.fileno())],
                pass_fds=[theirs.fileno()],
                env=os.environ | {"TMPDIR": str(folder)},
            )

    def __enter__(self) -> "EngineProcess":
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()
        self._process.wait()

    def ask(self, verb: str, **fields: Any) -> dict[str, Any]:
        write_frame(self._socket.fileno(), {"verb": verb} | fields)
        reply = read_frame(self._socket.fileno())
        assert reply is not None, f"it ended at {verb}"
        return reply


class EngineTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls) -> None:
        cls.folder = pathlib.Path(tempfile.mkdtemp())
        cls.addClassCleanup(shutil.rmtree, cls.folder)
        (cls.folder / "tmp").mkdir()
        weights = make_weights()
        save_file(weights, cls.folder / "model.safetensors")
        (cls.folder / "program.json").write_text(json.dumps(make_program(weights)))
        inputs = {f"x.{k}": torch.rand(1, 3, 16, 16) - 0.5 for k in range(SETS)}
        save_file(inputs, cls.folder / "inputs.safetensors")
        cls.weights, cls.inputs = weights, inputs

    def job(self, compiler: str, artifact: str = "", **more: Any) -> dict[str, Any]:
        return JOB | {
            "recipe": RECIPE | {"compiler": compiler},
            "onnx": str(self.folder / "model.onnx"),
            "program": str(self.folder / "program.json"),
            "inputs": str(self.folder / "inputs.safetensors"),
            "artifact": str(self.folder / artifact) if artifact else "",
            "input_sets": SETS,
            **more,
        }

    def start(self, name: str) -> EngineProcess:
        return EngineProcess(name, self.folder / "tmp")

    def prepare_and_rename(self, job: dict[str, Any], final: str) -> None:
        """As campaigns do: what was prepared stands elsewhere when it is loaded."""
        pathlib.Path(job["artifact"]).mkdir()
        with self.start("pytorch") as engine:
            prepared = engine.ask("prepare", **job)
            self.assertTrue(prepared["ok"], prepared)
            self.assertEqual(prepared["notes"], [])
        os.rename(job["artifact"], self.folder / final)

    def check_outputs(self, engine: EngineProcess) -> dict[str, torch.Tensor]:
        path = self.folder / "outputs.safetensors"
        reply = engine.ask("outputs", path=str(path))
        self.assertTrue(reply["ok"], reply)
        outputs = load_file(path)
        self.assertEqual(len(outputs), 2 * SETS)
        for k in range(SETS):
            for name, want in expected(self.weights, self.inputs[f"x.{k}"]).items():
                torch.testing.assert_close(outputs[f"{name}.{k}"], want, rtol=1e-5, atol=1e-5)
        return outputs

    def test_eager_equals_the_replay_in_cpp(self) -> None:
        outputs = []
        for name in ("pytorch", "torch"):
            with self.start(name) as engine:
                loaded = engine.ask("load", **self.job("eager"))
                self.assertTrue(loaded["ok"], loaded)
                self.assertEqual((loaded["threads"], loaded["precision"]), (1, "fp32"))
                outputs.append(self.check_outputs(engine))
        for name, tensor in outputs[0].items():
            self.assertTrue(torch.equal(tensor, outputs[1][name]), name)

    def test_bf16_computes_in_bf16(self) -> None:
        with self.start("pytorch") as engine:
            recipe = RECIPE | {"precision": "bf16"}
            loaded = engine.ask("load", **self.job("eager", recipe=recipe))
            self.assertEqual(loaded["precision"], "bf16")
            path = self.folder / "bf16.safetensors"
            self.assertTrue(engine.ask("outputs", path=str(path))["ok"])
        got = load_file(path)["y.0"]
        want = expected(self.weights, self.inputs["x.0"])["y"]
        self.assertEqual(got.dtype, torch.float32)
        error = ((got - want).norm() / want.norm()).item()
        self.assertTrue(1e-4 < error < 2e-2, error)

    def test_as_it_is_keeps_the_types_of_the_program(self) -> None:
        with self.start("pytorch") as engine:
            recipe = RECIPE | {"precision": "fp16", "as_is": True}
            loaded = engine.ask("load", **self.job("eager", recipe=recipe))
            self.assertEqual(loaded["precision"], "fp16")  # what the caller says the file is
            path = self.folder / "as_is.safetensors"
            self.assertTrue(engine.ask("outputs", path=str(path))["ok"])
        want = expected(self.weights, self.inputs["x.0"])["y"]
        torch.testing.assert_close(load_file(path)["y.0"], want)  # its weights are float32

    def test_load_takes_what_inductor_compiled_from_a_renamed_folder(self) -> None:
        self.prepare_and_rename(self.job("inductor", "made"), "inductor")
        compiled = sorted((self.folder / "inductor").rglob("*.so"))
        self.assertGreater(len(compiled), 0)
        with self.start("pytorch") as engine:
            loaded = engine.ask("load", **self.job("inductor", "inductor"))
            self.assertTrue(loaded["ok"], loaded)
            self.assertEqual(loaded["notes"], [])
            self.check_outputs(engine)
            refused = engine.ask("load", **self.job("inductor", "inductor", threads=2))
            self.assertIn("for 1 threads", refused["error"]["message"])
        self.assertEqual(sorted((self.folder / "inductor").rglob("*.so")), compiled)

    def test_the_cpp_engine_runs_what_aot_inductor_made(self) -> None:
        recipe = RECIPE | {"compiler": "aot_inductor", "capture": "export", "freezing": True}
        self.prepare_and_rename(self.job("", "made_ahead", recipe=recipe), "ahead")
        with self.start("torch") as engine:
            loaded = engine.ask("load", **self.job("", "ahead", recipe=recipe))
            self.assertTrue(loaded["ok"], loaded)
            self.check_outputs(engine)

    def test_says_what_it_cannot_do(self) -> None:
        with self.start("pytorch") as engine:
            refused = engine.ask("load", **self.job("openvino"))
            self.assertEqual(refused["error"]["kind"], "unsupported")
            refused = engine.ask("prepare", **self.job("eager"))
            self.assertEqual(refused["error"]["kind"], "unsupported")
            refused = engine.ask("load", **self.job("inductor", "nothing_here"))
            self.assertIn("artifact.json", refused["error"]["message"])


if __name__ == "__main__":
    unittest.main()
