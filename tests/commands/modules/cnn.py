"""A convolutional network whose input is not said: --input-shape 1x3x32x32."""

import torch
from torch import nn


class SmallCnn(nn.Module):
    def __init__(self, classes: int = 10) -> None:
        super().__init__()
        self.stem = nn.Sequential(
            nn.Conv2d(3, 16, 3, padding=1, bias=False), nn.BatchNorm2d(16), nn.ReLU(inplace=True)
        )
        self.wide = nn.Conv2d(16, 16, 3, padding=1)
        self.narrow = nn.Conv2d(16, 16, 1)
        self.register_buffer("order", torch.randperm(3 * 16))
        self.pool = nn.AdaptiveAvgPool2d(4)
        self.head = nn.Linear(3 * 16 * 16, classes)

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        x = self.stem(image)
        x = torch.cat([x, self.wide(x), nn.functional.silu(self.narrow(x))], dim=1)
        first, second = x.chunk(2, dim=1)
        x = torch.cat([second, first * 0.5], dim=1)[:, self.order]
        x = x.contiguous(memory_format=torch.channels_last)
        x = x + torch.arange(x.shape[1], device=x.device).view(1, -1, 1, 1) * 0.01
        return self.head(self.pool(nn.functional.max_pool2d(x, 2)).flatten(1))


def build() -> nn.Module:
    return SmallCnn()


def sized(classes: int) -> nn.Module:
    return SmallCnn(classes)


ready = SmallCnn(4)
number = 3


def half() -> nn.Module:
    return build().half()
