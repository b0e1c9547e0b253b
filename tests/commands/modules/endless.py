"""Modules that never come to an end."""

import time

import torch
from torch import nn


class Always(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        while x is not None:
            time.sleep(0.01)
        return x


class WhileExported(nn.Module):
    """Ends where it is run, never where it is traced."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        while torch.compiler.is_exporting():
            pass
        return x + 1


def example_inputs() -> torch.Tensor:
    return torch.randn(4, 8)
