"""ConvNeXt (Liu et al. 2022, arXiv 2201.03545)."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class ChannelNorm(nn.LayerNorm):
    """Layer norm over the channels of N x C x H x W."""

    def __init__(self, channels: int) -> None:
        super().__init__(channels, eps=1e-6)

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


class Permute(nn.Module):
    def __init__(self, *order: int) -> None:
        super().__init__()
        self.order = order

    def forward(self, x: Tensor) -> Tensor:
        return x.permute(self.order)


class Block(nn.Module):
    """Depthwise convolution, norm, two-layer perceptron over channels, layer scale; a shortcut."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.block = nn.Sequential(
            nn.Conv2d(channels, channels, 7, padding=3, groups=channels),
            Permute(0, 2, 3, 1),
            nn.LayerNorm(channels, eps=1e-6),
            nn.Linear(channels, 4 * channels),
            nn.GELU(),
            nn.Linear(4 * channels, channels),
            Permute(0, 3, 1, 2),
        )
        self.layer_scale = nn.Parameter(torch.ones(channels, 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        result = self.layer_scale * self.block(x)
        result += x
        return result


class ConvNext(nn.Module):
    """A stem, four stages with a halving of the plane between them, a classifier."""

    def __init__(self, depths: list[int], channels: int) -> None:
        super().__init__()
        features: list[nn.Module] = [
            nn.Sequential(nn.Conv2d(3, channels, 4, 4), ChannelNorm(channels))
        ]
        for stage, depth in enumerate(depths):
            if stage > 0:
                halve = nn.Conv2d(channels, 2 * channels, 2, 2)
                features.append(nn.Sequential(ChannelNorm(channels), halve))
                channels *= 2
            features.append(nn.Sequential(*[Block(channels) for _ in range(depth)]))
        self.features = nn.Sequential(*features)
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.classifier = nn.Sequential(
            ChannelNorm(channels), nn.Flatten(1), nn.Linear(channels, 1000)
        )

    def forward(self, x: Tensor) -> Tensor:
        return self.classifier(self.avgpool(self.features(x)))
