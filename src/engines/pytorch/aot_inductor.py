"""Prepares torch.export + AOTInductor; the C++ torch engine runs what is left in the artifact."""

import os
import tempfile
import zipfile

import torch
from torch._inductor import aoti_compile_and_package

from .artifact import empty_folder, write_facts
from .model import configure, load_model
from .protocol import Job
from .user_module import named_outputs


class _OnlyTensors(torch.nn.Module):
    """A user's module without what it returns besides tensors: None would be an output, too."""

    def __init__(self, module: torch.nn.Module) -> None:
        super().__init__()
        self.module = module

    def forward(self, *args: torch.Tensor, **kwargs: torch.Tensor) -> tuple[torch.Tensor, ...]:
        return tuple(tensor for _, tensor in named_outputs(self.module(*args, **kwargs)))


def prepare(job: Job) -> list[str]:
    """Leaves artifact/package (an unpacked .pt2) and artifact.json."""
    configure(job.threads)
    model = load_model(job)
    module = _OnlyTensors(model.module) if job.module else model.module
    with tempfile.TemporaryDirectory() as work, torch.no_grad():
        os.environ["TORCHINDUCTOR_CACHE_DIR"] = os.path.join(work, "inductor")
        exported = torch.export.export(
            module, model.input_sets[0], model.keyword_sets[0] or None
        )
        package = aoti_compile_and_package(
            exported,
            package_path=os.path.join(work, "model.pt2"),
            inductor_configs={
                "freezing": job.recipe.freezing,
                "aot_inductor.precompile_headers": False,  # each would serve one file
            },
        )
        with zipfile.ZipFile(package) as archive:
            archive.extractall(empty_folder(job, "package"))
    write_facts(job, freezing=job.recipe.freezing)
    return []
