"""The engine on PyTorch in Python: what a recipe asks for, prepared, loaded and called.

PyTorch is imported by prepare and load only, so that describing takes no time.
"""

import dataclasses
import importlib.metadata
import os
from typing import TYPE_CHECKING, Any

from . import recipes
from .artifact import code, read_facts, torch_version
from .protocol import EngineError, Job, Recipe

if TYPE_CHECKING:
    from .model import LoadedModel

# Caches must be on and compilers in this process: a grandchild would outlive a killed worker.
_ENVIRONMENT = {"TORCHINDUCTOR_COMPILE_THREADS": "1", "TORCHINDUCTOR_FORCE_DISABLE_CACHES": "0"}


class PyTorchEngine:
    """Serves the recipes that recipes.check accepts; those of PREPARED_FOR_OTHERS it prepares only."""

    def __init__(self) -> None:
        self._loaded: LoadedModel | None = None
        self._recipe: Recipe | None = None
        self._rounding: Job | None = None  # a job that loads for itself, again and again
        self._outputs: Any = ()  # as the module gave them

    def describe(self) -> dict[str, Any]:
        description = {"protocol": 1, "engine": "pytorch", "code": code()}
        description |= {"reason": "", "hint": ""}
        try:
            return description | {"version": torch_version(), "available": True}
        except importlib.metadata.PackageNotFoundError:
            return description | {
                "version": "",
                "available": False,
                "reason": "PyTorch is not installed for this interpreter",
                "hint": "remove venv.done in assay's environment and run tools/setup.sh",
            }

    def prepare(self, job: Job) -> list[str]:
        os.environ.update(_ENVIRONMENT)
        recipes.check(job.recipe)
        if not recipes.needs_preparation(job.recipe):
            raise EngineError(
                "unsupported", f"the pytorch engine has nothing to prepare for {job.conversion}"
            )
        if job.recipe.compiler in recipes.PREPARED_FOR_OTHERS:
            return recipes.compiler(job).prepare(job)
        from .model import configure, load_model

        configure(job.threads)
        model = load_model(job)
        notes = recipes.quantise(job, model)
        if job.recipe.quantisation:
            model = load_model(job)  # some quantise in place
        return notes + recipes.compiler(job).prepare(job, recipes.restore(job, model))

    def load(self, job: Job) -> dict[str, Any]:
        os.environ.update(_ENVIRONMENT)
        recipes.check(job.recipe)
        if job.recipe.compiler in recipes.WIDENED:
            return self._load_widened(job)
        if job.recipe.compiler in recipes.PREPARED_FOR_OTHERS:
            raise EngineError(
                "unsupported", f"the pytorch engine only prepares for {job.recipe.compiler}"
            )
        import torch

        from .model import configure, load_model, obtained_precision

        configure(job.threads)
        self._rounding = job if job.recipe.rounding else None
        if self._rounding is not None:
            return {"threads": job.threads, "precision": "fp64", "device": "cpu", "notes": []}
        model = load_model(job)
        if recipes.needs_preparation(job.recipe):
            read_facts(job)
        loaded = recipes.restore(job, model)
        module, notes = recipes.compiler(job).load(job, loaded)
        precision = obtained_precision(loaded, job.recipe)
        self._loaded = dataclasses.replace(loaded, module=module)
        self._recipe = job.recipe
        self._bind(module, loaded)
        return {
            "threads": torch.get_num_threads(),
            "precision": precision,
            "device": "cpu",
            "notes": notes,
        }

    def _load_widened(self, job: Job) -> dict[str, Any]:
        from . import widened
        from .model import configure

        configure(job.threads)
        self._loaded = widened.load(job)
        self._recipe = job.recipe
        self._bind(self._loaded.module, self._loaded)
        return {"threads": job.threads, "precision": "fp64", "device": "cpu", "notes": []}

    def _bind(self, module: Any, loaded: "LoadedModel") -> None:
        input_sets, keyword_sets = loaded.input_sets, loaded.keyword_sets

        def infer(chosen: int) -> None:
            self._outputs = module(*input_sets[chosen])

        def infer_by_name(chosen: int) -> None:
            self._outputs = module(*input_sets[chosen], **keyword_sets[chosen])

        self.infer = infer_by_name if keyword_sets[0] else infer

    def guard(self) -> Any:
        assert self._recipe is not None
        return recipes.guard(self._recipe)

    def write_outputs(self, path: str, sets: int) -> None:
        from .model import write_tensors

        if self._rounding is not None:
            from . import rounding

            write_tensors(path, rounding.measure(self._rounding))
            return
        assert self._loaded is not None
        outputs = {}
        with self.guard():
            for chosen in range(sets):
                self.infer(chosen)
                for name, value in self._loaded.named_outputs(self._outputs):
                    outputs[f"{name}.{chosen}"] = value.clone()  # a module may reuse what it gave
            write_tensors(path, outputs)
