"""torch.export with static shapes: captured in prepare, kept below the artifact, read in load."""

from __future__ import annotations

import dataclasses
import os

import torch
from torch import nn

from .artifact import empty_folder
from .model import LoadedModel
from .protocol import Job
from .refusal import refused_by

_FOLDER, _FILE = "exported", "program.pt2"


def capture(module: nn.Module, model: LoadedModel) -> torch.export.ExportedProgram:
    """`module` on the model's first inputs."""
    with torch.no_grad(), refused_by("torch.export"):
        return torch.export.export(module, model.input_sets[0], model.keyword_sets[0] or None)


def decomposed(job: Job, program: torch.export.ExportedProgram) -> torch.export.ExportedProgram:
    """The program in the operators that the recipe wants it in."""
    if not job.recipe.decompose:
        return program
    with torch.no_grad(), refused_by("run_decompositions"):
        return program.run_decompositions()


def keep(job: Job, program: torch.export.ExportedProgram) -> None:
    with refused_by("torch.export.save"):
        torch.export.save(program, empty_folder(job, _FOLDER) / _FILE)


def restore(job: Job, model: LoadedModel) -> LoadedModel:
    """The model with what `keep` left in place of its module."""
    if job.recipe.quantisation:
        from torch.ao.quantization.fx import _decomposed  # noqa: F401  # the file's operators
    program = torch.export.load(os.path.join(job.artifact, _FOLDER, _FILE))
    return dataclasses.replace(model, module=program.module())
