"""The capture of Python models: the program, the ONNX file and the module compute the same; what
cannot be captured says why. The modules are those of tests/commands/modules.

ASSAY_ENGINES names the folder of assay-engine-pytorch and assay-engine-torch.
"""

import contextlib
import io
import json
import os
import pathlib
import shutil
import tempfile
import unittest
from typing import Any

import numpy
import onnxruntime
import torch
from safetensors.torch import load_file, save_file

from . import program as aten
from . import prepared, user_module
from .capture import main
from .engine_test import EngineProcess
from .examples import SETS
from .kit_test import JOB, RECIPE
from .module_tree import build_module, replay

MODULES = pathlib.Path(__file__).resolve().parents[3] / "tests" / "commands" / "modules"


class CaptureTest(unittest.TestCase):
    def setUp(self) -> None:
        self.folder = pathlib.Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.folder)

    def capture(
        self, target: str, *options: str, folder: str | None = None, status: int = 0
    ) -> dict[str, Any]:
        """module.json, or error.json for status 1."""
        folder = folder or str(MODULES)
        place = target if ".py:" not in target else f"{folder}/{target}"
        into = self.folder / f"{target.replace('.py:', '-').replace(':', '-')}{len(options)}"
        into.mkdir()
        with contextlib.redirect_stderr(io.StringIO()), contextlib.redirect_stdout(io.StringIO()):
            ended = main(["", place, "--folder", folder, "--into", str(into), *options])
        self.into = into
        facts = json.loads((into / ("error.json" if ended else "module.json")).read_text())
        self.assertEqual(ended, status, facts)
        return facts

    def inputs_of(self, facts: dict[str, Any], chosen: int = 0) -> dict[str, torch.Tensor]:
        torch.manual_seed(7 + chosen)
        values = {}
        for argument in facts["arguments"]:
            given = facts["given_inputs"].get(argument["name"])
            values[argument["name"]] = (
                torch.from_numpy(numpy.load(self.into / given)[chosen])
                if given
                else torch.rand(argument["shape"]) * 2 - 1
            )
        return values

    def expect_all_forms_to_agree(self, facts: dict[str, Any]) -> None:
        self.assertEqual((facts["no_program"], facts["no_onnx"]), ("", ""))
        module, read = user_module.load(self.into)
        values = self.inputs_of(facts)
        args = [values[a["name"]] for a in read["arguments"] if not a["keyword"]]
        kwargs = {a["name"]: values[a["name"]] for a in read["arguments"] if a["keyword"]}
        want = dict(user_module.named_outputs(module(*args, **kwargs)))
        self.assertEqual(list(want), [o["name"] for o in facts["outputs"]])

        program = aten.load(self.into / "program.json")
        weights = aten.load_weights(program, self.into)
        session = onnxruntime.InferenceSession(
            self.into / "model.onnx", providers=["CPUExecutionProvider"]
        )
        flat = [values[a["name"]] for a in read["arguments"]]
        forms = {
            "replay": replay(program, weights)(*flat),
            "tree": build_module(program, weights)(*flat),
            "onnx": [
                torch.from_numpy(t)
                for t in session.run(list(want), {k: v.numpy() for k, v in values.items()})
            ],
        }
        for form, outputs in forms.items():
            outputs = [outputs] if isinstance(outputs, torch.Tensor) else outputs
            for (name, tensor), got in zip(want.items(), outputs, strict=True):
                self.assertEqual(got.dtype, tensor.dtype, (form, name))
                torch.testing.assert_close(got, tensor, rtol=1e-4, atol=1e-5, msg=f"{form} {name}")

    def test_a_module_in_half_precision_is_made_float32_and_says_so(self) -> None:
        facts = self.capture("cnn.py:half", "--input-shape", "1x3x32x32")
        self.assertEqual(facts["made_float32"], ["float16"])
        self.assertEqual(facts["outputs"][0]["dtype"], "float32")

    def test_a_cnn_by_input_shape(self) -> None:
        facts = self.capture("cnn.py:build", "--input-shape", "1x3x32x32", "--batch-size", "2")
        self.assertEqual(facts["arguments"][0]["name"], "image")
        self.assertEqual(facts["arguments"][0]["shape"], [2, 3, 32, 32])
        module, _ = user_module.load(self.into)
        self.assertEqual(facts["parameters"], sum(p.numel() for p in module.parameters()))
        convolutions = (3 * 9 + 16 * 9 + 16) * 16 * 32 * 32
        self.assertEqual(facts["macs"], 2 * (convolutions + 3 * 16 * 16 * 10))
        self.expect_all_forms_to_agree(facts)
        calls = json.loads((self.into / "program.json").read_text())["calls"]
        ops = [call["op"] for call in calls]
        for op in ("conv2d", "batch_norm", "relu_", "chunk", "linear"):
            self.assertIn(f"aten::{op}", ops)  # as eager PyTorch calls them, not decomposed
        self.assertIn("stem.0", [call["node"] for call in calls])
        given = [argument for call in calls for argument in call["arguments"]]
        holes = [a["values"] for a in given if isinstance(a, dict) and "values" in a]
        self.assertIn(None, [ids[0] for ids in holes])  # of x[:, order]
        self.assertIn({"memory_format": "channels_last"}, given)
        self.assertIn({"device": "cpu"}, given)

    def test_a_transformer_with_ids_a_mask_and_nested_outputs(self) -> None:
        facts = self.capture("encoder.py:Encoder")
        self.assertEqual([a["name"] for a in facts["arguments"]], ["ids", "mask", "shift"])
        self.assertEqual([o["name"] for o in facts["outputs"]], ["logits", "rest_0", "rest_1"])
        ids = torch.stack([self.inputs_of(facts, k)["ids"] for k in range(SETS)])
        self.assertGreater(len(ids.unique()), 20)  # of 50 rows, 96 draws
        self.assertLess(int(ids.max()), 50)
        mask = self.inputs_of(facts, SETS - 1)["mask"]
        self.assertEqual(mask.sum(), 21)  # the example's own
        weights = load_file(self.into / "model.safetensors")
        self.assertIn("tokens.weight", weights)
        self.assertNotIn("head.weight", weights)  # the same tensor
        self.assertIn("place", weights)  # although the state dict lacks it
        self.expect_all_forms_to_agree(facts)

    def test_a_module_and_a_class_do_as_well_as_a_function(self) -> None:
        shape = ("--input-shape", "1x3x32x32")
        self.assertEqual(self.capture("cnn.py:ready", *shape)["outputs"][0]["shape"], [1, 4])
        self.assertEqual(self.capture("cnn.py:SmallCnn", *shape)["outputs"][0]["shape"], [1, 10])
        self.assertEqual(self.capture("cnn:build", *shape)["outputs"][0]["shape"], [1, 10])

    def test_control_flow_says_where_it_cannot_be_exported(self) -> None:
        facts = self.capture("branching.py:Branching")
        self.assertIn("branching.py:13, 'if x.sum() > 0:'", facts["no_program"])
        self.assertEqual(facts["no_onnx"], facts["no_program"])
        self.assertFalse((self.into / "program.json").exists())

    def test_a_module_that_changes_itself_is_no_program(self) -> None:
        facts = self.capture("broken.py:Counts")
        self.assertIn("writes to its own 'calls'", facts["no_program"])
        self.assertEqual(load_file(self.into / "model.safetensors")["calls"].item(), 0)

    def test_errors_name_the_value_and_the_remedy(self) -> None:
        shape = ("--input-shape", "1x3x32x32")
        for target, options, message, hint in (
            ("cnn.py:build", (), "is not known", "--input-shape 1x3x224x224"),
            ("cnn.py:biuld", shape, "has no 'biuld'", "did you mean build"),
            ("cnn.py:number", shape, "is int, no torch.nn.Module", "returns one"),
            ("cnn.py:sized", shape, "needs arguments: classes", "without arguments"),
            ("nowhere.py:build", shape, "no file", "path/to/file.py"),
            ("no_such_module:build", shape, "no Python module 'no_such_module'", "PYTHONPATH"),
            ("broken.py:Raises", (), r"RuntimeError: no weights today \(broken.py:10,", "alone"),
            ("broken.py:WrongShape", (), r"\(broken.py:15, 'return x @", "alone"),
            ("broken.py:Overwrites", (), "writes to its input 'x'", "clone"),
            ("other_numbers.py:Spectrum", (), "returns complex64 numbers as 'output'", "view_as_real"),
            ("encoder.py:Encoder", ("--batch-size", "3"), "'ids' of shape 2x12", "--input-shape"),
            ("cnn.py:build", ("--input-shape", "2x3x32x32", "--batch-size", "3"), "2x3x32x32", "once"),
        ):  # fmt: skip
            with self.subTest(target=target, options=options):
                error = self.capture(target, *options, status=1)
                self.assertRegex(error["message"], message)
                self.assertRegex(error["hint"], hint)
                self.assertNotIn("\n", error["message"])

    def test_weights_fit_strictly(self) -> None:
        module = user_module.make(user_module.import_target("cnn:build", str(MODULES))[1], "", 1)
        state = {name: t.clone() for name, t in module.state_dict().items()}
        file = self.folder / "w.safetensors"
        save_file(state, file)
        options = ("--input-shape", "1x3x32x32", "--weights", str(file))
        facts = self.capture("cnn.py:build", *options)
        self.assertEqual(facts["weights"], "file")
        got = load_file(self.into / "model.safetensors")
        self.assertTrue(torch.equal(got["head.weight"], state["head.weight"]))
        state["extra"] = state.pop("head.bias")
        state["wide.weight"] = torch.zeros(1)
        save_file(state, file)
        error = self.capture("cnn.py:SmallCnn", *options, status=1)
        for part in ("missing: head.bias", "unexpected: extra", "wide.weight is 1, not 16x16x3x3"):
            self.assertIn(part, error["message"])

    def test_what_it_was_made_of_is_written_down(self) -> None:
        own = self.folder / "own"
        own.mkdir()
        (own / "part.py").write_text("WIDTH = 8\n")
        torch.save({"weight": torch.ones(8)}, own / "w.pt")
        (own / "whole.py").write_text(
            "import pathlib, torch\nfrom part import WIDTH\n"
            "def build():\n"
            "    module = torch.nn.Linear(WIDTH, 1)\n"
            "    held = torch.load(pathlib.Path(__file__).parent / 'w.pt')\n"
            "    module.weight.data[:] = held['weight']\n"
            "    return module\n"
        )
        facts = self.capture("whole.py:build", "--input-shape", "4x8", folder=str(own))
        for name in ("whole.py", "part.py", "w.pt"):
            self.assertIn(str((own / name).resolve()), facts["sources"])
        self.assertFalse([path for path in facts["sources"] if "/site-packages/" in path])

    def job(self, facts: dict[str, Any], precision: str = "fp32", **more: Any) -> dict[str, Any]:
        inputs = {
            f"{name}.{k}": value.contiguous()
            for k in range(SETS)
            for name, value in self.inputs_of(facts, k).items()
        }
        save_file(inputs, self.folder / "inputs.safetensors")
        return JOB | {
            "recipe": RECIPE | {"precision": precision},
            "onnx": str(self.into / "model.onnx"),
            "program": str(self.into / "program.json"),
            "inputs": str(self.folder / "inputs.safetensors"),
            "input_sets": SETS,
            **more,
        }

    def outputs(self, engine: str, job: dict[str, Any]) -> dict[str, torch.Tensor]:
        (self.folder / "tmp").mkdir(exist_ok=True)
        path = self.folder / f"{engine}.safetensors"
        with EngineProcess(engine, self.folder / "tmp") as process:
            loaded = process.ask("load", **job)
            self.assertTrue(loaded["ok"], loaded)
            reply = process.ask("outputs", path=str(path))
            self.assertTrue(reply["ok"], reply)
        return load_file(path)

    def test_the_cpp_replay_equals_the_module_in_eager_python(self) -> None:
        for target, options in (
            ("encoder.py:Encoder", ()),
            ("cnn.py:build", ("--input-shape", "1x3x32x32")),
        ):
            facts = self.capture(target, *options)
            module = str(self.into / "module.json")
            own = self.outputs("pytorch", self.job(facts, module=module))
            replayed = self.outputs("torch", self.job(facts))
            self.assertEqual(own.keys(), replayed.keys())
            for name, tensor in own.items():
                torch.testing.assert_close(replayed[name], tensor, rtol=1e-4, atol=1e-5)

    def test_attention_of_all_kinds_is_counted_and_exported_as_its_own_code_has_it(self) -> None:
        for kind, differs in (("Product", False), ("Weights", False), ("Causal", False), ("Encoder", True)):
            with self.subTest(kind):
                facts = self.capture(f"attention.py:{kind}")
                self.assertEqual(facts["fast_path_differs"], differs)
                self.assertGreater(facts["macs"], 0)
                with prepared.own_code():
                    self.expect_all_forms_to_agree(facts)

    def test_complex_numbers_stay_complex(self) -> None:
        facts = self.capture("other_numbers.py:Rotary")
        self.assertRegex(facts["no_program"], "'turn' holds complex numbers")
        module = str(self.into / "module.json")
        double = self.outputs("pytorch", self.job(facts, "fp64", module=module))
        own, _ = user_module.load(self.into)
        for k in range(SETS):
            torch.testing.assert_close(
                double[f"output.{k}"].float(), own(*self.inputs_of(facts, k).values())
            )

    def test_what_float32_cannot_hold_is_refused_where_it_parts(self) -> None:
        error = self.capture("other_numbers.py:Exact", status=1)
        self.assertRegex(error["message"], r"than in its own float64: output 'output' is off by")

    def test_the_golden_reference_is_the_module_in_double(self) -> None:
        facts = self.capture("encoder.py:Encoder")
        module = str(self.into / "module.json")
        double = self.outputs("pytorch", self.job(facts, "fp64", module=module))
        single = self.outputs("pytorch", self.job(facts, module=module))
        for name, tensor in double.items():
            self.assertEqual(tensor.dtype, torch.float64)
            error = ((single[name] - tensor).norm() / tensor.norm()).item()
            self.assertTrue(1e-9 < error < 1e-5, error)

    def test_an_engine_says_when_the_module_comes_out_otherwise(self) -> None:
        own = self.folder / "own"
        own.mkdir()
        source = "import torch\ndef build(): return torch.nn.Linear(8, {})\n"
        (own / "net.py").write_text(source.format(4))
        facts = self.capture("net.py:build", "--input-shape", "2x8", folder=str(own))
        (own / "net.py").write_text(source.format(5))
        job = self.job(facts, module=str(self.into / "module.json"))
        (self.folder / "tmp").mkdir()
        with EngineProcess("pytorch", self.folder / "tmp") as process:
            refused = process.ask("load", **job)
        self.assertIn("'weight' of shape (5, 8)", refused["error"]["message"])


if __name__ == "__main__":
    os.environ.setdefault("ASSAY_ENGINES", str(pathlib.Path.cwd()))
    unittest.main()
