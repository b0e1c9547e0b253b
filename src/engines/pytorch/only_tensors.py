"""A user's module without what it returns besides tensors, for captures that know no more."""

import torch

from .user_module import named_outputs


class OnlyTensors(torch.nn.Module):
    """None would be an output, too, and a number a constant."""

    def __init__(self, module: torch.nn.Module) -> None:
        super().__init__()
        self.module = module

    def forward(self, *args: torch.Tensor, **kwargs: torch.Tensor) -> tuple[torch.Tensor, ...]:
        return tuple(tensor for _, tensor in named_outputs(self.module(*args, **kwargs)))
