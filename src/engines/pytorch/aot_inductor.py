"""Prepares torch.export + AOTInductor; the C++ torch engine runs what is left in the artifact."""

import dataclasses
import os
import tempfile
import zipfile

import torch
from torch import nn
from torch._inductor import aoti_compile_and_package

from . import pt2e, static_export
from .artifact import empty_folder, write_facts
from .model import LoadedModel, configure, load_model
from .only_tensors import OnlyTensors
from .protocol import Doubt, Job

_INT8_COUNTERS = {
    "convolutions": "qconv_weight_prepack_matcher_count",
    "linear layers": "qlinear_weight_prepack_matcher_count",
}


class _LaysOut(nn.Module):
    """The package is given plain inputs: it puts the channels last itself."""

    def __init__(self, module: nn.Module) -> None:
        super().__init__()
        self.module = module

    def forward(self, *args: torch.Tensor) -> object:
        last = torch.channels_last
        return self.module(*(a.contiguous(memory_format=last) if a.dim() == 4 else a for a in args))


def prepare(job: Job) -> list[str]:
    """Leaves artifact/package (an unpacked .pt2) and artifact.json."""
    configure(job.threads)
    model = load_model(job)
    with tempfile.TemporaryDirectory() as work, torch.no_grad():
        os.environ["TORCHINDUCTOR_CACHE_DIR"] = os.path.join(work, "inductor")
        program, notes = _captured(job, model)
        package = aoti_compile_and_package(
            program,
            package_path=os.path.join(work, "model.pt2"),
            inductor_configs={
                "freezing": job.recipe.freezing,
                "aot_inductor.precompile_headers": False,  # each would serve one file
            },
        )
        if job.recipe.quantisation:
            notes.append(_int8_note())
        with zipfile.ZipFile(package) as archive:
            archive.extractall(empty_folder(job, "package"))
    write_facts(job, freezing=job.recipe.freezing)
    return notes


def _captured(job: Job, model: LoadedModel) -> tuple[torch.export.ExportedProgram, list[str]]:
    if job.module:
        model = dataclasses.replace(model, module=OnlyTensors(model.module))
    if job.recipe.channels_last:
        model = _with_plain_inputs(model)
    if not job.recipe.quantisation:
        program = static_export.capture(model.module, model)
        return static_export.decomposed(job, program), []
    module, notes = pt2e.quantise(job, model)
    program = static_export.capture(module, model)
    return program, [*notes, pt2e.share_note(job, program)]


def _with_plain_inputs(model: LoadedModel) -> LoadedModel:
    return dataclasses.replace(
        model,
        module=_LaysOut(model.module).eval(),
        input_sets=[tuple(x.contiguous() for x in inputs) for inputs in model.input_sets],
    )


def _int8_note() -> str:
    """Kernels that Inductor made; a Doubt when it made none."""
    from torch._dynamo.utils import counters

    made = {what: counters["inductor"][name] for what, name in _INT8_COUNTERS.items()}
    if not any(made.values()):
        return Doubt("Inductor made no int8 kernel of the quantised graph")
    return f"int8 kernels: {' and '.join(f'{n} {what}' for what, n in made.items())}"
