"""Control flow that depends on values: torch.export cannot capture it."""

import torch
from torch import nn


class Branching(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.one, self.other = nn.Linear(8, 4), nn.Linear(8, 4)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if x.sum() > 0:
            return self.one(x)
        return self.other(x)


class Kept(nn.Module):
    """Its author keeps compilers out."""

    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Linear(8, 4)

    @torch.compiler.disable
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.linear(x)


def example_inputs() -> tuple:
    return (torch.randn(16, 8),)
