"""torch.autocast as part of a module, with a look at whether it reaches anything."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from .protocol import EngineError

_KINDS = (nn.Conv1d, nn.Conv2d, nn.Conv3d, nn.Linear)


class Autocast(nn.Module):
    """A module that runs under autocast: weights and inputs stay float32."""

    def __init__(self, module: nn.Module, dtype: torch.dtype) -> None:
        super().__init__()
        self.module, self.dtype = module, dtype

    def forward(self, *args: torch.Tensor, **kwargs: torch.Tensor) -> Any:
        with torch.autocast("cpu", self.dtype):
            return self.module(*args, **kwargs)


def require_effect(module: Autocast, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    """Raises EngineError when convolutions and linear layers come out as they would without it."""
    came_out: list[torch.dtype] = []
    handles = [
        part.register_forward_hook(lambda _module, _args, out: came_out.append(out.dtype))
        for part in module.modules()
        if isinstance(part, _KINDS)
    ]
    try:
        with torch.no_grad():
            module(*args, **kwargs)
    finally:
        for handle in handles:
            handle.remove()
    if came_out and module.dtype not in came_out:
        raise EngineError(
            "unsupported",
            f"autocast left all {len(came_out)} convolutions and linear layers in {came_out[0]}",
        )
