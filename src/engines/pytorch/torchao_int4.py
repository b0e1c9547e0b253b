"""torchao's int4 weight-only: linear layers in bf16 whose weights fit PyTorch's int4 kernel.

torchao 0.18's Int4WeightOnlyConfig has no layout for CPUs (each wants mslk, XPU or CUDA); the CPU
kernel is behind its PrototypeInt4WeightOnlyConfig.
"""

from __future__ import annotations

import copy

import torch
from torch import nn

from . import shares
from .model import LoadedModel
from .protocol import EngineError, Job
from .refusal import needs_package, refused_by

_GROUP = 32  # the finest that the kernel has
_ROWS = 16  # aten::_convert_weight_to_int4pack_for_cpu: output features in steps of this


def quantise(job: Job, model: LoadedModel) -> list[str]:
    """What can be known before load, which packs the weights: nothing is calibrated."""
    if job.recipe.precision != "bf16":
        raise EngineError("unsupported", "torchao's int4 weights want bf16 activations")
    fitting = [path for path, part in model.module.named_modules() if _fits(part, path)]
    if not fitting:
        raise EngineError(
            "unsupported",
            "torchao int4: no linear layer has input features in steps of "
            f"{_GROUP} and output features in steps of {_ROWS}, as the kernel for CPUs wants",
            "OPTIMUM_QUANTO_WI4 quantises every layer",
        )
    counted = shares.multiply_adds(model)
    packed = restore(job, copy.copy(model)).module
    taken = [path for path, part in packed.named_modules() if _is_packed(part)]
    return [shares.note("int4 weights", counted, taken)]


def restore(job: Job, model: LoadedModel) -> LoadedModel:
    with needs_package("torchao"):
        from torchao.prototype.quantization.int4 import PrototypeInt4WeightOnlyConfig
        from torchao.quantization import quantize_
    with torch.no_grad(), refused_by("torchao int4"):
        config = PrototypeInt4WeightOnlyConfig(group_size=_GROUP, set_inductor_config=False)
        quantize_(model.module, config, filter_fn=_fits)
    return model


def _fits(part: nn.Module, _: str) -> bool:
    if not isinstance(part, nn.Linear):
        return False
    return part.in_features % _GROUP == 0 and part.out_features % _ROWS == 0


def _is_packed(part: nn.Module) -> bool:
    return isinstance(part, nn.Linear) and "Int4" in type(part.weight).__name__
