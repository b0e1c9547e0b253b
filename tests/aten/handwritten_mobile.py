"""MobileNet-V3 (Howard et al. 2019, arXiv 1905.02244), EfficientNet (Tan, Le 2019, 1905.11946).

Both are stages of inverted residuals with squeeze and excitation (Hu et al. 2017, 1709.01507).
torchvision leaves the two activations of MobileNet-V3's squeeze and excitation out of place; on
planes of 1x1 nothing depends on it, and here they are in place like all others.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor, nn

Layer = Callable[[], nn.Module]
Norm = Callable[[int], nn.Module]

SILU = partial(nn.SiLU, inplace=True)
RELU = partial(nn.ReLU, inplace=True)
HARD_SWISH = partial(nn.Hardswish, inplace=True)
HARD_SIGMOID = partial(nn.Hardsigmoid, inplace=True)


def multiple_of_8(channels: float) -> int:
    """The nearest one, a tenth less at most."""
    nearest = max(8, int(channels + 4) // 8 * 8)
    return nearest + 8 if nearest < 0.9 * channels else nearest


def unit(
    inputs: int,
    outputs: int,
    kernel: int,
    norm: Norm,
    activation: Layer | None,
    stride: int = 1,
    groups: int = 1,
) -> nn.Sequential:
    """Convolution, batch norm, activation."""
    layers = [
        nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, groups=groups, bias=False),
        norm(outputs),
    ]
    return nn.Sequential(*layers, *([activation()] if activation else []))


class SqueezeExcitation(nn.Module):
    """A gate for each channel from the means of all."""

    def __init__(self, channels: int, squeezed: int, activation: Layer, gate: Layer) -> None:
        super().__init__()
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.fc1 = nn.Conv2d(channels, squeezed, 1)
        self.fc2 = nn.Conv2d(squeezed, channels, 1)
        self.activation = activation()
        self.gate = gate()

    def forward(self, x: Tensor) -> Tensor:
        return self.gate(self.fc2(self.activation(self.fc1(self.pool(x))))) * x


class InvertedResidual(nn.Module):
    """Expand, depthwise convolution, perhaps squeeze and excitation, project; a shortcut."""

    def __init__(
        self,
        inputs: int,
        hidden: int,
        outputs: int,
        kernel: int,
        stride: int,
        norm: Norm,
        activation: Layer,
        squeeze: Callable[[int], nn.Module] | None,
    ) -> None:
        super().__init__()
        layers = [] if hidden == inputs else [unit(inputs, hidden, 1, norm, activation)]
        layers.append(unit(hidden, hidden, kernel, norm, activation, stride, hidden))
        layers += [squeeze(hidden)] if squeeze else []
        layers.append(unit(hidden, outputs, 1, norm, None))
        self.block = nn.Sequential(*layers)
        self.shortcut = stride == 1 and inputs == outputs

    def forward(self, x: Tensor) -> Tensor:
        result = self.block(x)
        if self.shortcut:
            result += x
        return result


class MobileNetV3(nn.Module):
    """Tables 1 and 2. Blocks: kernel, hidden, outputs, squeezes, hard-swish, stride."""

    LARGE = [
        (3, 16, 16, 0, 0, 1),
        (3, 64, 24, 0, 0, 2),
        (3, 72, 24, 0, 0, 1),
        (5, 72, 40, 1, 0, 2),
        (5, 120, 40, 1, 0, 1),
        (5, 120, 40, 1, 0, 1),
        (3, 240, 80, 0, 1, 2),
        (3, 200, 80, 0, 1, 1),
        (3, 184, 80, 0, 1, 1),
        (3, 184, 80, 0, 1, 1),
        (3, 480, 112, 1, 1, 1),
        (3, 672, 112, 1, 1, 1),
        (5, 672, 160, 1, 1, 2),
        (5, 960, 160, 1, 1, 1),
        (5, 960, 160, 1, 1, 1),
    ]
    SMALL = [
        (3, 16, 16, 1, 0, 2),
        (3, 72, 24, 0, 0, 2),
        (3, 88, 24, 0, 0, 1),
        (5, 96, 40, 1, 1, 2),
        (5, 240, 40, 1, 1, 1),
        (5, 240, 40, 1, 1, 1),
        (5, 120, 48, 1, 1, 1),
        (5, 144, 48, 1, 1, 1),
        (5, 288, 96, 1, 1, 2),
        (5, 576, 96, 1, 1, 1),
        (5, 576, 96, 1, 1, 1),
    ]

    def __init__(self, blocks: list[tuple[int, ...]], classifier: int) -> None:
        super().__init__()
        norm = partial(nn.BatchNorm2d, eps=1e-3, momentum=0.01)

        def squeeze(hidden: int) -> nn.Module:
            return SqueezeExcitation(hidden, multiple_of_8(hidden // 4), RELU, HARD_SIGMOID)

        features: list[nn.Module] = [unit(3, 16, 3, norm, HARD_SWISH, stride=2)]
        inputs = 16
        for kernel, hidden, outputs, squeezes, hard_swish, stride in blocks:
            activation = HARD_SWISH if hard_swish else RELU
            features.append(
                InvertedResidual(
                    inputs, hidden, outputs, kernel, stride, norm, activation,
                    squeeze if squeezes else None,
                )
            )
            inputs = outputs
        features.append(unit(inputs, 6 * inputs, 1, norm, HARD_SWISH))
        self.features = nn.Sequential(*features)
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.classifier = nn.Sequential(
            nn.Linear(6 * inputs, classifier),
            HARD_SWISH(),
            nn.Dropout(0.2),
            nn.Linear(classifier, 1000),
        )

    def forward(self, x: Tensor) -> Tensor:
        return self.classifier(torch.flatten(self.pool(self.features(x)), 1))


class EfficientNet(nn.Module):
    """Table 1 of the paper, scaled. Stages: expansion, kernel, stride, outputs, blocks."""

    STAGES = [
        (1, 3, 1, 16, 1),
        (6, 3, 2, 24, 2),
        (6, 5, 2, 40, 2),
        (6, 3, 2, 80, 3),
        (6, 5, 1, 112, 3),
        (6, 5, 2, 192, 4),
        (6, 3, 1, 320, 1),
    ]

    def __init__(self, width: float, depth: float) -> None:
        super().__init__()
        inputs = multiple_of_8(32 * width)
        features: list[nn.Module] = [unit(3, inputs, 3, nn.BatchNorm2d, SILU, stride=2)]
        for expansion, kernel, stride, channels, repeats in self.STAGES:
            outputs = multiple_of_8(channels * width)
            blocks = []
            for i in range(math.ceil(repeats * depth)):
                squeeze = partial(
                    SqueezeExcitation, squeezed=inputs // 4, activation=SILU, gate=nn.Sigmoid
                )
                blocks.append(
                    InvertedResidual(
                        inputs, inputs * expansion, outputs, kernel, stride if i == 0 else 1,
                        nn.BatchNorm2d, SILU, squeeze,
                    )
                )
                inputs = outputs
            features.append(nn.Sequential(*blocks))
        features.append(unit(inputs, 4 * inputs, 1, nn.BatchNorm2d, SILU))
        self.features = nn.Sequential(*features)
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.classifier = nn.Sequential(nn.Dropout(0.2), nn.Linear(4 * inputs, 1000))

    def forward(self, x: Tensor) -> Tensor:
        return self.classifier(torch.flatten(self.pool(self.features(x)), 1))
