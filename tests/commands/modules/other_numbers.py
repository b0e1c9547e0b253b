"""Modules of other numbers than float32."""

import torch
from torch import nn


class Rotary(nn.Module):
    """Rotates by complex numbers that it keeps."""

    def __init__(self) -> None:
        super().__init__()
        angles = torch.outer(torch.arange(6.0), 1.0 / 10 ** torch.arange(0, 1, 0.25))
        self.register_buffer("turn", torch.polar(torch.ones_like(angles), angles))
        self.project = nn.Linear(8, 8)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        pairs = torch.view_as_complex(self.project(x).reshape(2, 6, 4, 2))
        return torch.view_as_real(pairs * self.turn).flatten(2)


class Spectrum(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.fft.fft(x)


class Exact(nn.Module):
    """Needs the digits of float64."""

    def __init__(self) -> None:
        super().__init__()
        self.inner = nn.Linear(8, 8).double()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return (self.inner(x) + 1e9) - 1e9


def example_inputs() -> torch.Tensor:
    return torch.randn(2, 6, 8)
