"""Recipes that start a C++ compiler, prepared in one process and loaded in another; minutes.

ASSAY_ENGINES names the folder of assay-engine-pytorch and assay-engine-torch.
"""

import os
import pathlib
import shutil
import tempfile
import unittest
import unittest.mock
from typing import Any

from .engine_test import EngineProcess
from .recipe_cases import ANY, Case

_INDUCTOR: dict[str, Any] = {"compiler": "inductor"}
_QUANTO: dict[str, Any] = {"quantisation": "quanto"}

# By name: the recipe, and between what the error against float32 lies.
_CASES: dict[str, tuple[dict[str, Any], float, float]] = {
    "default": (_INDUCTOR, 0, 1e-5),
    "reduce-overhead": (_INDUCTOR | {"mode": "reduce-overhead", "fullgraph": True}, 0, 1e-5),
    "max-autotune": (_INDUCTOR | {"mode": "max-autotune", "fullgraph": True}, 0, 1e-5),
    "eager fallback": (_INDUCTOR | {"eager_fallback": True}, 0, 1e-5),
    "export": (_INDUCTOR | {"capture": "export"}, 0, 1e-5),
    "bf16": (_INDUCTOR | {"precision": "bf16"}, 1e-4, 2e-2),
    "bf16 autocast": (_INDUCTOR | {"precision": "bf16", "autocast": True}, 1e-4, 2e-2),
    "channels_last": (_INDUCTOR | {"channels_last": True}, 0, 1e-5),
    "torchao int4": (
        _INDUCTOR | {"quantisation": "torchao_int4", "weights": "int4", "precision": "bf16",
                     "mode": "max-autotune"}, 1e-3, 5e-1),
}  # fmt: skip

# int2 keeps no model right: it only has to run.
_PACKED: dict[str, tuple[dict[str, Any], float, float]] = {
    "w4": (_QUANTO | {"weights": "int4"}, 1e-3, 5e-1),
    "w4 a8": (_QUANTO | {"weights": "int4", "activations": "int8"}, 1e-3, 5e-1),
    "w2": (_QUANTO | {"weights": "int2"}, 1e-2, ANY),
    "w2 a8": (_QUANTO | {"weights": "int2", "activations": "int8"}, 1e-2, ANY),
}

_AHEAD: dict[str, Any] = {"compiler": "aot_inductor", "capture": "export", "freezing": True}


class CompiledTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls) -> None:
        cls.folder = pathlib.Path(tempfile.mkdtemp())
        cls.addClassCleanup(shutil.rmtree, cls.folder)
        (cls.folder / "tmp").mkdir()
        extensions = {"TORCH_EXTENSIONS_DIR": str(cls.folder / "extensions")}
        cls.enterClassContext(unittest.mock.patch.dict(os.environ, extensions))
        cls.case = Case(cls.folder)

    def start(self, name: str) -> EngineProcess:
        return EngineProcess(name, self.folder / "tmp")

    def run_case(self, name: str, recipe: dict[str, Any], engine: str = "pytorch") -> Any:
        """The notes of prepare, what load says, and the error of the outputs."""
        request = self.case.request(name.replace(" ", "_"), **recipe)
        with self.start("pytorch") as process:
            prepared = process.ask("prepare", **request)
            self.assertTrue(prepared["ok"], prepared)
        path = self.folder / "outputs.safetensors"
        with self.start(engine) as process:
            loaded = process.ask("load", **request)
            self.assertTrue(loaded["ok"], loaded)
            self.assertTrue(process.ask("outputs", path=str(path))["ok"])
        return prepared["notes"], loaded, self.case.error(path)

    def test_torch_compile_loads_what_it_compiled(self) -> None:
        for name, (recipe, least, most) in _CASES.items():
            with self.subTest(name):
                _, loaded, error = self.run_case(name, recipe)
                self.assertTrue(least <= error <= most, error)
                self.assertFalse([n for n in loaded["notes"] if "compiled again" in n])
                self.assertFalse([n for n in loaded["notes"] if "left to eager" in n])

    def test_quanto_unpacks_with_its_extension_despite_a_lock_left_behind(self) -> None:
        places: set[pathlib.Path] = set()
        for name, (recipe, least, most) in _PACKED.items():
            with self.subTest(name):
                for place in places:
                    (place / "lock").touch()
                notes, _, error = self.run_case(name, recipe)
                self.assertTrue(least <= error <= most, error)
                self.assertTrue(any("weights: 4 of 4" in note for note in notes), notes)
                places = {path.parent for path in self.folder.rglob("quanto_cpp-*/done")}
                self.assertGreater(len(places), 0)

    def test_int8_ahead_of_time_runs_in_the_cpp_engine(self) -> None:
        recipe = _AHEAD | {"quantisation": "x86_int8", "weights": "int8", "activations": "int8"}
        notes, _, error = self.run_case("int8 ahead", recipe, "torch")
        self.assertTrue(1e-3 <= error <= 6e-2, error)
        self.assertIn("int8 kernels: 2 convolutions and 2 linear layers", notes)

    def test_channels_last_ahead_of_time_takes_plain_inputs(self) -> None:
        recipe = _AHEAD | {"channels_last": True}
        _, _, error = self.run_case("channels last ahead", recipe, "torch")
        self.assertTrue(error <= 1e-5, error)


if __name__ == "__main__":
    unittest.main()
