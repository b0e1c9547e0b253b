"""The engine on PyTorch in Python: eager, torch.compile, and what AOTInductor needs prepared.

PyTorch is imported by prepare and load only, so that describing takes no time.
"""

import importlib.metadata
import os
from typing import TYPE_CHECKING, Any

from .protocol import EngineError, Job

if TYPE_CHECKING:
    from .model import LoadedModel

# Caches must be on and compilers in this process: a grandchild would outlive a killed worker.
_ENVIRONMENT = {"TORCHINDUCTOR_COMPILE_THREADS": "1", "TORCHINDUCTOR_FORCE_DISABLE_CACHES": "0"}


def torch_version() -> str:
    """As the C++ engine spells it: without the build's local part."""
    return importlib.metadata.version("torch").split("+")[0]


class PyTorchEngine:
    """Serves the recipes of compiler "eager" and "inductor"; prepares "inductor" and
    "aot_inductor"."""

    def __init__(self) -> None:
        self._loaded: LoadedModel | None = None
        self._outputs: Any = ()  # as the module gave them

    def describe(self) -> dict[str, Any]:
        description = {"protocol": 1, "engine": "pytorch", "reason": "", "hint": ""}
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
        if job.recipe.compiler == "inductor":
            from . import inductor

            return inductor.prepare(job)
        if job.recipe.compiler == "aot_inductor":
            from . import aot_inductor

            return aot_inductor.prepare(job)
        raise EngineError(
            "unsupported", f"the pytorch engine has nothing to prepare for {job.conversion}"
        )

    def load(self, job: Job) -> dict[str, Any]:
        os.environ.update(_ENVIRONMENT)
        import torch

        from . import inductor
        from .model import configure, load_model, obtained_precision

        configure(job.threads)
        loaded = load_model(job)
        module, notes = loaded.module, []
        if job.recipe.compiler == "inductor":
            module, notes = inductor.load(job, loaded)
        elif job.recipe.compiler != "eager":
            raise EngineError(
                "unsupported",
                f"the pytorch engine has no compiler '{job.recipe.compiler}' to run",
                "it runs eager and inductor",
            )
        self._loaded = loaded
        self._bind(module, loaded)
        return {
            "threads": torch.get_num_threads(),
            "precision": obtained_precision(loaded, job.recipe),
            "device": "cpu",
            "notes": notes,
        }

    def _bind(self, module: Any, loaded: "LoadedModel") -> None:
        input_sets, keyword_sets = loaded.input_sets, loaded.keyword_sets

        def infer(chosen: int) -> None:
            self._outputs = module(*input_sets[chosen])

        def infer_by_name(chosen: int) -> None:
            self._outputs = module(*input_sets[chosen], **keyword_sets[chosen])

        self.infer = infer_by_name if keyword_sets[0] else infer

    def guard(self) -> Any:
        import torch

        return torch.inference_mode()

    def write_outputs(self, path: str, sets: int) -> None:
        from .model import write_tensors

        assert self._loaded is not None
        outputs = {}
        with self.guard():
            for chosen in range(sets):
                self.infer(chosen)
                for name, value in self._loaded.named_outputs(self._outputs):
                    outputs[f"{name}.{chosen}"] = value.clone()  # a module may reuse what it gave
            write_tensors(path, outputs)
