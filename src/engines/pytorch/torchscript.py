"""TorchScript: traced or scripted in prepare, kept below the artifact, read and frozen in load."""

from __future__ import annotations

import os
from typing import Any

import torch
from torch import fx, nn

from .artifact import empty_folder, write_facts
from .graph_copy import retargeted
from .model import LoadedModel
from .only_tensors import OnlyTensors
from .protocol import EngineError, Job
from .refusal import refused_by

_FOLDER, _FILE = "torchscript", "module.pt"
_SPECIALISING_RUNS = 3  # the executor profiles two, then compiles


def prepare(job: Job, model: LoadedModel) -> list[str]:
    make = _script if job.recipe.capture == "script" else _trace
    with torch.no_grad(), refused_by(f"torch.jit.{job.recipe.capture}"):
        torch.jit.save(make(job, model), empty_folder(job, _FOLDER) / _FILE)
    write_facts(job)
    return []


def load(job: Job, model: LoadedModel) -> tuple[Any, list[str]]:
    recipe = job.recipe
    module = torch.jit.load(os.path.join(job.artifact, _FOLDER, _FILE)).eval()
    notes = []
    torch.jit.enable_onednn_fusion(recipe.onednn_graph)
    with torch.no_grad():
        if recipe.freezing or recipe.onednn_graph:
            module = torch.jit.freeze(module)
            notes.append("frozen")
        for _ in range(_SPECIALISING_RUNS):
            module(*model.input_sets[0], **model.keyword_sets[0])
    if recipe.onednn_graph:
        notes.append(_fusion_note())
    return module, notes


def _trace(job: Job, model: LoadedModel) -> torch.jit.ScriptModule:
    module = OnlyTensors(model.module) if job.module else model.module
    if model.keyword_sets[0]:
        return torch.jit.trace(
            module, model.input_sets[0] or None, example_kwarg_inputs=model.keyword_sets[0]
        )
    return torch.jit.trace(module, model.input_sets[0])


def _script(_: Job, model: LoadedModel) -> torch.jit.ScriptModule:
    module = model.module
    return torch.jit.script(_scriptable(module) if isinstance(module, fx.GraphModule) else module)


def _scriptable(module: fx.GraphModule) -> nn.Module:
    """The same graph with operators by name alone: TorchScript finds the overload itself."""

    def by_name(node: fx.Node) -> Any:
        overload = isinstance(node.target, torch._ops.OpOverload)
        return node.target.overloadpacket if overload else node.target

    return retargeted(module, by_name)


def _fusion_note() -> str:
    """How many groups oneDNN Graph took. Raises EngineError when it is none."""
    groups = str(torch.jit.last_executed_optimized_graph()).count("= prim::oneDNNFusionGroup")
    if groups == 0:
        raise EngineError("unsupported", "oneDNN Graph fused no part of the model's TorchScript")
    return f"oneDNN Graph runs {groups} groups of operators"
