"""Each recipe that needs no C++ compiler on a small network, prepared and loaded in this process."""

import pathlib
import shutil
import tempfile
import unittest
from typing import Any
from unittest import mock

import torch

from . import recipes
from .kit_test import RECIPE
from .protocol import EngineError, Recipe
from .recipe_cases import Case

_PT2E = {"capture": "export", "weights": "int8", "activations": "int8"}

# By name: the recipe, and between what the error against float32 lies. Above nothing, where numbers
# are to be shortened: a recipe that did nothing would fail.
_CASES: dict[str, tuple[dict[str, Any], float, float]] = {
    "eager": ({}, 0, 1e-6),
    "channels_last": ({"channels_last": True}, 0, 1e-5),
    "fp16": ({"precision": "fp16"}, 1e-5, 2e-2),
    "bf16": ({"precision": "bf16"}, 1e-4, 2e-2),
    "bf16 autocast": ({"precision": "bf16", "autocast": True}, 1e-4, 2e-2),
    "export": ({"capture": "export"}, 0, 1e-5),
    "export bf16": ({"capture": "export", "precision": "bf16"}, 1e-4, 2e-2),
    "export decomposed": ({"capture": "export", "decompose": True}, 0, 1e-5),
    "trace": ({"capture": "trace", "compiler": "torchscript"}, 0, 1e-5),
    "trace bf16": (
        {"capture": "trace", "compiler": "torchscript", "precision": "bf16"}, 1e-4, 2e-2),
    "script": ({"capture": "script", "compiler": "torchscript"}, 0, 1e-5),
    "script frozen": (
        {"capture": "script", "compiler": "torchscript", "freezing": True}, 0, 1e-5),
    "script bf16": (
        {"capture": "script", "compiler": "torchscript", "precision": "bf16"}, 1e-4, 2e-2),
    "oneDNN Graph": (
        {"capture": "trace", "compiler": "torchscript", "freezing": True, "onednn_graph": True},
        0, 1e-5),
    "pt2e float": (_PT2E | {"quantisation": "pt2e_float"}, 1e-3, 6e-2),
    "pt2e float decomposed": (
        _PT2E | {"quantisation": "pt2e_float", "decompose": True}, 1e-3, 6e-2),
    "pt2e integer": (_PT2E | {"quantisation": "pt2e_integer"}, 1e-3, 1e-1),
    "pt2e integer decomposed": (
        _PT2E | {"quantisation": "pt2e_integer", "decompose": True}, 1e-3, 1e-1),
    "fx int8": ({"quantisation": "fx_int8", "weights": "int8", "activations": "int8"}, 1e-3, 6e-2),
    "fx simulated": (
        {"quantisation": "fx_simulated", "weights": "int8", "activations": "int8"}, 1e-3, 6e-2),
    "quanto w8": ({"quantisation": "quanto", "weights": "int8"}, 1e-4, 6e-2),
    "quanto w8 a8": (
        {"quantisation": "quanto", "weights": "int8", "activations": "int8"}, 1e-3, 6e-2),
    "quanto e4m3fn": ({"quantisation": "quanto", "weights": "float8_e4m3fn"}, 1e-3, 1e-1),
    "quanto e4m3fnuz": ({"quantisation": "quanto", "weights": "float8_e4m3fnuz"}, 1e-3, 1e-1),
    "quanto e5m2": ({"quantisation": "quanto", "weights": "float8_e5m2"}, 1e-3, 2e-1),
    "torchao int4": (
        {"quantisation": "torchao_int4", "weights": "int4", "precision": "bf16"}, 1e-3, 5e-1),
}  # fmt: skip


class RecipesTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls) -> None:
        cls.folder = pathlib.Path(tempfile.mkdtemp())
        cls.addClassCleanup(shutil.rmtree, cls.folder)
        cls.case = Case(cls.folder)

    def prepare(self, name: str, **recipe: Any) -> tuple[Any, list[str]]:
        from .engine import PyTorchEngine

        job = self.case.job(name, **recipe)
        needed = recipes.needs_preparation(job.recipe)
        return job, PyTorchEngine().prepare(job) if needed else []

    def test_outputs_are_those_of_float32_within_the_recipes_class(self) -> None:
        for name, (recipe, least, most) in _CASES.items():
            with self.subTest(name):
                job, _ = self.prepare(name, **recipe)
                loaded, error = self.case.load(job)
                self.assertEqual(loaded["precision"], recipe.get("precision", "fp32"))
                self.assertTrue(least <= error <= most, f"{name}: {error}")

    def test_says_what_was_quantised_and_how_it_was_calibrated(self) -> None:
        recipe = _CASES["fx int8"][0]
        _, notes = self.prepare("said", **recipe)
        self.assertIn("ranges from minimum to maximum", notes)
        self.assertIn("4 of 4 convolutions and linear layers, 100.0 %", notes[1])
        _, notes = self.prepare("said", **_CASES["torchao int4"][0])
        self.assertIn("2 of 4 convolutions and linear layers", notes[0])

    def test_each_method_of_calibration_makes_scales_of_its_own_or_says_that_there_is_none(self) -> None:
        words = {"minmax": "minimum to maximum", "percentile": "99.999 %", "entropy": "HistogramObserver"}
        few = mock.patch("pytorch.calibration.PERCENTILE", 99.0)  # few values: of 99.999 % none is cut
        few.start()
        self.addCleanup(few.stop)
        for name in ("fx int8", "fx simulated", "pt2e float", "pt2e integer"):
            recipe, _, most = _CASES[name]
            errors = set()
            for method, said in words.items():
                with self.subTest(name, method=method):
                    job, notes = self.prepare(f"{name} {method}", calibration=method, **recipe)
                    self.assertIn(said, " ".join(notes))
                    _, error = self.case.load(job)
                    self.assertTrue(1e-3 <= error <= most, f"{error}")
                    errors.add(round(error, 7))
            self.assertEqual(len(errors), len(words), f"{name}: {errors}")
        with self.assertRaisesRegex(EngineError, "quanto .* no method 'entropy'"):
            self.prepare("quanto entropy", calibration="entropy", **_CASES["quanto w8 a8"][0])
        self.prepare("quanto weights", calibration="entropy", **_CASES["quanto w8"][0])

    def test_a_percentile_cuts_off_what_is_rare(self) -> None:
        from torch.ao import quantization as observers

        from . import calibration

        values = torch.cat([torch.linspace(-1, 1, 1_000_000), torch.tensor([100.0])])
        reach = {}
        for method in ("minmax", "percentile", "entropy"):
            seen = calibration.observer(observers, method)()
            seen(values)
            reach[method] = seen.calculate_qparams()[0].item() * 255
        self.assertGreater(reach["minmax"], 100)
        self.assertLess(reach["percentile"], 3)
        self.assertLess(reach["entropy"], 3)

    def test_the_artifact_is_what_load_runs(self) -> None:
        for name in ("fx int8", "quanto w8 a8", "export", "script"):
            with self.subTest(name):
                job, _ = self.prepare("moved", **_CASES[name][0])
                shutil.rmtree(job.artifact)
                with self.assertRaisesRegex(EngineError, "artifact.json"):
                    self.case.load(job)

    def test_a_model_of_which_nothing_was_quantised_is_in_doubt(self) -> None:
        from . import shares
        from .serve import noted

        note = shares.note("int8 weights", {"a": 1, "b": 2}, ["c"])
        said = noted(["calibrated", note])
        self.assertEqual(said["notes"], ["calibrated"])
        self.assertIn("none of the 2 convolutions", said["doubt"])
        self.assertEqual(noted([shares.note("int8 weights", {"a": 1}, ["a"])])["doubt"], "")

    def test_autocast_that_reaches_nothing_is_refused(self) -> None:
        from .autocast import Autocast, require_effect

        module = Autocast(torch.nn.Linear(2, 2), torch.bfloat16)
        require_effect(module, (torch.rand(1, 2),), {})
        module.forward = lambda x: module.module(x)  # type: ignore[method-assign]
        with self.assertRaisesRegex(EngineError, "autocast left all 1"):
            require_effect(module, (torch.rand(1, 2),), {})

    def test_refuses_parts_that_do_not_go_together(self) -> None:
        wrong: dict[str, dict[str, Any]] = {
            "no compiler 'tensorrt'": {"compiler": "tensorrt"},
            "capture 'trace' with compiler 'eager'": {"capture": "trace"},
            "no quantisation 'magic'": {"quantisation": "magic"},
            "quantisation 'quanto' with none and inductor": {
                "quantisation": "quanto", "compiler": "inductor"},
            "freezing with compiler 'eager'": {"freezing": True},
            "decompose with capture 'none'": {"decompose": True},
        }  # fmt: skip
        for message, recipe in wrong.items():
            with self.subTest(message), self.assertRaisesRegex(EngineError, message):
                recipes.check(Recipe(**RECIPE | recipe))

    def test_quanto_says_which_weights_it_has(self) -> None:
        with self.assertRaisesRegex(EngineError, "quanto has no weights 'int3'"):
            self.prepare("int3", quantisation="quanto", weights="int3")


if __name__ == "__main__":
    unittest.main()
