"""How much of a model a quantiser took: multiply-adds of its convolutions and linear layers.

One multiply-add of an output element per weight that it reads: numel(out) * numel(weight[0]).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch
from torch import nn

from .model import LoadedModel
from .protocol import Doubt

KINDS = (nn.Conv1d, nn.Conv2d, nn.Conv3d, nn.Linear)


def multiply_adds(model: LoadedModel) -> dict[str, int]:
    """By path of the module, of one inference on the first input set."""
    counted: dict[str, int] = {}
    handles = [
        module.register_forward_hook(_counter(counted, path))
        for path, module in model.module.named_modules()
        if isinstance(module, KINDS)
    ]
    try:
        with torch.no_grad():
            model.module(*model.input_sets[0], **model.keyword_sets[0])
    finally:
        for handle in handles:
            handle.remove()
    return counted


def _counter(counted: dict[str, int], path: str) -> Any:
    def count(module: nn.Module, _: Any, output: torch.Tensor) -> None:
        weight = module.get_parameter("weight")
        counted[path] = counted.get(path, 0) + output.numel() * weight[0].numel()

    return count


def note(what: str, counted: dict[str, int], quantised: Iterable[str]) -> str:
    """What was quantised of what there is; a Doubt when it is nothing."""
    taken = [path for path in quantised if path in counted]
    if not taken:
        return Doubt(
            f"{what}: none of the {len(counted)} convolutions and linear layers was quantised"
        )
    share = sum(counted[path] for path in taken) / max(1, sum(counted.values()))
    return (
        f"{what}: {len(taken)} of {len(counted)} convolutions and linear layers, "
        f"{100 * share:.1f} % of their multiply-adds"
    )
