"""Static int8 in FX graph mode (torch.ao.quantization), calibrated in prepare.

fx_int8 converts to the int8 kernels of the x86 engine; fx_simulated computes in float32 between fake
quantisations. The artifact keeps the state; load makes the same module anew and puts it in.
"""

from __future__ import annotations

import copy
import dataclasses
import operator
import os
import warnings
from typing import Any

import torch
import torch.nn.functional as F
from torch import fx, nn
from torch.ao import quantization as observers
from torch.ao.quantization import (
    FakeQuantize,
    PerChannelMinMaxObserver,
    QConfig,
    disable_fake_quant,
    disable_observer,
    enable_fake_quant,
    get_default_qat_qconfig_mapping,
    get_default_qconfig_mapping,
)
from torch.ao.quantization.quantize_fx import convert_fx, prepare_fx, prepare_qat_fx

from . import calibration, shares
from .artifact import empty_folder
from .graph_copy import retargeted
from .model import LoadedModel
from .protocol import Job
from .refusal import refused_by

_FOLDER, _FILE = "quantised", "state.pt"
_ENGINE = "x86"
_aten = torch.ops.aten

_CHANNELS = {"dtype": torch.qint8, "qscheme": torch.per_channel_symmetric}


# FX graph mode knows the functions that models are written with, not the operators below them.
_WRITTEN = {
    _aten.relu.default: F.relu,
    _aten.relu_.default: F.relu,
    _aten.hardtanh.default: F.hardtanh,
    _aten.hardtanh_.default: F.hardtanh,
    _aten.hardswish.default: F.hardswish,
    _aten.hardswish_.default: F.hardswish,
    _aten.sigmoid.default: torch.sigmoid,
    _aten.add.Tensor: operator.add,
    _aten.add_.Tensor: operator.add,
    _aten.mul.Tensor: operator.mul,
    _aten.mul_.Tensor: operator.mul,
    _aten.cat.default: torch.cat,
    _aten.matmul.default: torch.matmul,
    _aten.max_pool2d.default: F.max_pool2d,
    _aten.avg_pool2d.default: F.avg_pool2d,
    _aten.adaptive_avg_pool2d.default: F.adaptive_avg_pool2d,
    _aten.flatten.using_ints: torch.flatten,
    _aten.mean.dim: torch.mean,
}


def quantise(job: Job, model: LoadedModel) -> list[str]:
    with torch.no_grad(), refused_by("FX graph mode"):
        counted = shares.multiply_adds(model)
        prepared = _prepared(job, model)
        _calibrate(prepared, model)
        module = _converted(job, prepared)
        taken = [path for path, part in module.named_modules() if _is_quantised(part)]
        notes = [
            calibration.torch_range_note(job.recipe.calibration),
            shares.note(_share_of(job), counted, taken),
        ]
        torch.save(module.state_dict(), empty_folder(job, _FOLDER) / _FILE)
    return [*notes, "activations have 7 bits, as the x86 engine wants without VNNI"]


def restore(job: Job, model: LoadedModel) -> LoadedModel:
    with torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of observers that have seen nothing: their state follows
        module = _converted(job, _prepared(job, model))
    state = torch.load(os.path.join(job.artifact, _FOLDER, _FILE), weights_only=True)
    module.load_state_dict(state)
    return dataclasses.replace(model, module=module)


def _prepared(job: Job, model: LoadedModel) -> fx.GraphModule:
    torch.backends.quantized.engine = _ENGINE
    module, example = as_written(model.module), model.input_sets[0]
    config = _config(job)
    if job.recipe.quantisation == "fx_int8":
        mapping = get_default_qconfig_mapping(_ENGINE).set_global(config)
        return prepare_fx(module.eval(), mapping, example)
    # Only this one simulates the weights, too; in eval mode its batch norms stay as they are.
    mapping = get_default_qat_qconfig_mapping(_ENGINE).set_global(config)
    return prepare_qat_fx(module.train(), mapping, example).eval()


def _config(job: Job) -> QConfig:
    kind = calibration.observer(observers, job.recipe.calibration)
    if job.recipe.quantisation == "fx_int8":
        return QConfig(
            activation=kind.with_args(reduce_range=True),
            weight=PerChannelMinMaxObserver.with_args(**_CHANNELS),
        )
    return QConfig(
        activation=FakeQuantize.with_args(observer=kind, reduce_range=True),
        weight=FakeQuantize.with_args(observer=PerChannelMinMaxObserver, **_CHANNELS),
    )


def _calibrate(prepared: fx.GraphModule, model: LoadedModel) -> None:
    """Shows every sample to the observers; scales are made of what all of them have shown."""
    simulated = [part for part in prepared.modules() if isinstance(part, FakeQuantize)]
    prepared.apply(disable_fake_quant)
    for part in simulated:  # they would search for a scale after each sample
        part.calculate_qparams = lambda part=part: (part.scale, part.zero_point)
    for args, kwargs in calibration.samples(model):
        prepared(*args, **kwargs)
    for part in simulated:
        del part.calculate_qparams
        if part.activation_post_process.min_val.numel() > 0:  # it has seen something
            scale, zero = part.calculate_qparams()
            part.scale, part.zero_point = scale, zero
    prepared.apply(enable_fake_quant)


def _converted(job: Job, prepared: fx.GraphModule) -> fx.GraphModule:
    if job.recipe.quantisation == "fx_int8":
        return convert_fx(prepared)
    prepared.apply(disable_observer)
    return prepared


def as_written(module: nn.Module) -> nn.Module:
    """A graph of operators with the functions of a model's source; other modules as they are."""
    if not isinstance(module, fx.GraphModule):
        return copy.deepcopy(module)

    def written(node: fx.Node) -> Any:
        plain = node.target not in (_aten.add.Tensor, _aten.add_.Tensor) or not node.kwargs
        return _WRITTEN.get(node.target, node.target) if plain else node.target  # alpha

    return retargeted(module, written)


def _is_quantised(part: Any) -> bool:
    own = type(part).__module__
    return "quantized" in own or ".qat." in own


def _share_of(job: Job) -> str:
    return "int8 kernels" if job.recipe.quantisation == "fx_int8" else "int8 simulated in float32"
