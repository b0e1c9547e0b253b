"""Modules that cannot be made, cannot be run, or change from one inference to the next."""

import torch
from torch import nn


class Raises(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        raise RuntimeError("no weights today")


class WrongShape(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x @ torch.ones(5, 5)


class Counts(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Linear(8, 8)
        self.register_buffer("calls", torch.zeros(1))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        self.calls += 1
        return self.linear(x) + 0 * self.calls


class Overwrites(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.add_(1)


def example_inputs() -> torch.Tensor:
    return torch.randn(4, 8)
