"""The plain run of a quantised class, which scales what outputs of the class may be off by.

Eager, with nothing quantised but rounded: the weights of convolutions and linear layers, and where
the class has them their inputs, to the numbers that the class has. What a quantiser does beyond
that, and what its kernels do, is what the outputs of its arm are compared for.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from typing import Any

import torch
from torch import nn

from . import calibration
from .artifact import empty_folder
from .instructions import multiplies_int8
from .model import LoadedModel
from .protocol import EngineError, Job
from .refusal import refused_by
from .shares import KINDS

_FOLDER, _FILE = "plain", "ranges.json"
_GROUP, _LEAST_GROUP = 128, 32  # of int4: quanto's, which takes the largest step of 32 that divides

Range = tuple[float, float]


def quantise(job: Job, model: LoadedModel) -> list[str]:
    """Learns the ranges of activations and leaves them in the artifact."""
    ranges: dict[str, Range] = {}
    if job.recipe.activations:
        with torch.no_grad(), refused_by("the plain run"):
            ranges = _observed(model)
    (empty_folder(job, _FOLDER) / _FILE).write_text(json.dumps(ranges))
    return []


def restore(job: Job, model: LoadedModel) -> LoadedModel:
    with open(os.path.join(job.artifact, _FOLDER, _FILE)) as file:
        ranges = json.load(file)
    with torch.no_grad():
        for path, part in _parts(model.module):
            weight = part.get_parameter("weight")
            part.register_parameter("weight", nn.Parameter(_rounder(job)(weight), False))
            if path in ranges:
                bits = _bits(job.recipe.activations)
                part.register_forward_pre_hook(_rounds_input(ranges[path], bits))
    return model


def _parts(module: nn.Module) -> list[tuple[str, nn.Module]]:
    return [(path, part) for path, part in module.named_modules() if isinstance(part, KINDS)]


def _observed(model: LoadedModel) -> dict[str, Range]:
    """By path of the module: least and greatest of its inputs."""
    ranges: dict[str, Range] = {}

    def observer(path: str) -> Any:
        def observe(_: nn.Module, args: tuple[torch.Tensor, ...]) -> None:
            low, high = args[0].min().item(), args[0].max().item()
            before = ranges.get(path, (0.0, 0.0))  # zero must be a number that there is
            ranges[path] = (min(low, before[0]), max(high, before[1]))

        return observe

    handles = [
        part.register_forward_pre_hook(observer(path)) for path, part in _parts(model.module)
    ]
    try:
        for args, kwargs in calibration.samples(model):
            model.module(*args, **kwargs)
    finally:
        for handle in handles:
            handle.remove()
    return ranges


def _bits(kind: str) -> int:
    narrow = kind == "int7" or (kind == "int8_narrow" and not multiplies_int8())
    return 7 if narrow else 8


def _rounder(job: Job) -> Callable[[torch.Tensor], torch.Tensor]:
    kind = job.recipe.weights
    if kind.startswith("float8"):
        dtype = getattr(torch, kind)
        return lambda weight: rounded_to_float(weight, dtype)
    if kind == "int4":
        return rounded_in_groups
    if kind in ("int8", "int8_narrow"):
        return lambda weight: rounded_by_channel(weight, _bits(kind))
    raise EngineError("unsupported", f"no plain run has weights '{kind}'")


def _rounds_input(limits: Range, bits: int) -> Any:
    def round_it(_: nn.Module, args: tuple[torch.Tensor, ...]) -> tuple[torch.Tensor, ...]:
        return (rounded_to_range(args[0], limits, bits), *args[1:])

    return round_it


def rounded_by_channel(weight: torch.Tensor, bits: int) -> torch.Tensor:
    """Symmetric integers, a scale for each output channel."""
    most = 2 ** (bits - 1) - 1
    scale = (_greatest(weight) / most).clamp_min(torch.finfo(weight.dtype).tiny)
    return (weight / scale).round().clamp(-most, most) * scale


def rounded_in_groups(weight: torch.Tensor) -> torch.Tensor:
    """4 bits from minimum to maximum, a scale for each group of a channel's weights."""
    width = weight[0].numel()
    sizes = [s for s in range(_GROUP, _LEAST_GROUP - 1, -_LEAST_GROUP) if width % s == 0]
    groups = weight.reshape(-1, sizes[0] if width > _GROUP and sizes else width)
    low, high = groups.amin(1, keepdim=True), groups.amax(1, keepdim=True)
    scale = ((high - low) / 15).clamp_min(torch.finfo(weight.dtype).tiny)
    return (((groups - low) / scale).round() * scale + low).reshape(weight.shape)


def rounded_to_float(weight: torch.Tensor, dtype: torch.dtype) -> torch.Tensor:
    """float8 of this kind, a scale for each output channel."""
    scale = (_greatest(weight) / torch.finfo(dtype).max).clamp_min(torch.finfo(weight.dtype).tiny)
    return (weight / scale).to(dtype).to(weight.dtype) * scale


def rounded_to_range(values: torch.Tensor, limits: Range, bits: int) -> torch.Tensor:
    """Integers from 0 up over a range that holds 0; what lies beyond it is cut off."""
    low, high = limits
    most = 2**bits - 1
    scale = (high - low) / most or 1.0
    zero = round(-low / scale)
    return ((values / scale).round().add(zero).clamp(0, most) - zero) * scale


def _greatest(weight: torch.Tensor) -> torch.Tensor:
    return weight.abs().amax(dim=tuple(range(1, weight.dim())), keepdim=True)
