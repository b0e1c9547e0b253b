"""The zoo's architectures as anyone would write them in PyTorch, from their papers.

Parameters have torchvision's names, so that one checkpoint fits both. Sources: He et al. 2015
(arXiv 1512.03385; stride in the 3x3 convolution, "v1.5"), Sandler et al. 2018 (1801.04381),
Dosovitskiy et al. 2020 (2010.11929); the files beside this one name theirs.
"""

from __future__ import annotations

from collections import OrderedDict

import torch
from torch import Tensor, nn

from handwritten_convnext import ConvNext
from handwritten_language import MODELS as LANGUAGE
from handwritten_mobile import EfficientNet, MobileNetV3
from handwritten_yolo import MODELS as DETECTION


class SimpleCnn(nn.Module):
    """Two convolutions and a linear layer on 3x224x224."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 16, 3, padding=1)
        self.conv2 = nn.Conv2d(16, 32, 3, padding=1)
        self.relu = nn.ReLU(inplace=True)
        self.pool = nn.MaxPool2d(2)
        self.fc = nn.Linear(32 * 56 * 56, 10)

    def forward(self, x: Tensor) -> Tensor:
        x = self.pool(self.relu(self.conv1(x)))
        x = self.pool(self.relu(self.conv2(x)))
        return self.fc(torch.flatten(x, 1))


class Residual(nn.Module):
    """ResNet's block: two 3x3 convolutions, or 1x1, 3x3, 1x1 when it is a bottleneck."""

    def __init__(self, inputs: int, width: int, stride: int, bottleneck: bool) -> None:
        super().__init__()
        kernels = [1, 3, 1] if bottleneck else [3, 3]
        strides = [1, stride, 1] if bottleneck else [stride, 1]
        channels = [inputs] + [width] * (len(kernels) - 1) + [width * (4 if bottleneck else 1)]
        self.depth = len(kernels)
        for i, (kernel, step) in enumerate(zip(kernels, strides), start=1):
            conv = nn.Conv2d(
                channels[i - 1], channels[i], kernel, step, padding=kernel // 2, bias=False
            )
            self.add_module(f"conv{i}", conv)
            self.add_module(f"bn{i}", nn.BatchNorm2d(channels[i]))
        self.relu = nn.ReLU(inplace=True)
        self.downsample = None
        if stride != 1 or inputs != channels[-1]:
            self.downsample = nn.Sequential(
                nn.Conv2d(inputs, channels[-1], 1, stride, bias=False),
                nn.BatchNorm2d(channels[-1]),
            )

    def forward(self, x: Tensor) -> Tensor:
        out = x
        for i in range(1, self.depth + 1):
            out = self.get_submodule(f"bn{i}")(self.get_submodule(f"conv{i}")(out))
            if i < self.depth:
                out = self.relu(out)
        out += x if self.downsample is None else self.downsample(x)
        return self.relu(out)


class ResNet(nn.Module):
    """A stem, four stages of residual blocks, a classifier."""

    def __init__(self, depths: list[int], bottleneck: bool) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 64, 7, 2, padding=3, bias=False)
        self.bn1 = nn.BatchNorm2d(64)
        self.relu = nn.ReLU(inplace=True)
        self.maxpool = nn.MaxPool2d(3, 2, padding=1)
        inputs = 64
        for stage, depth in enumerate(depths):
            blocks = []
            for i in range(depth):
                stride = 2 if stage > 0 and i == 0 else 1
                blocks.append(Residual(inputs, 64 << stage, stride, bottleneck))
                inputs = (64 << stage) * (4 if bottleneck else 1)
            self.add_module(f"layer{stage + 1}", nn.Sequential(*blocks))
        self.avgpool = nn.AdaptiveAvgPool2d((1, 1))
        self.fc = nn.Linear(inputs, 1000)

    def forward(self, x: Tensor) -> Tensor:
        x = self.maxpool(self.relu(self.bn1(self.conv1(x))))
        for stage in range(1, 5):
            x = self.get_submodule(f"layer{stage}")(x)
        return self.fc(torch.flatten(self.avgpool(x), 1))


def convolution_unit(inputs: int, outputs: int, kernel: int, stride: int, groups: int):
    """Convolution, batch norm, ReLU6."""
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, groups=groups, bias=False),
        nn.BatchNorm2d(outputs),
        nn.ReLU6(inplace=True),
    )


class InvertedResidual(nn.Module):
    """Expand, depthwise convolution, project; a shortcut where the shapes agree."""

    def __init__(self, inputs: int, outputs: int, stride: int, expansion: int) -> None:
        super().__init__()
        hidden = inputs * expansion
        units = [] if expansion == 1 else [convolution_unit(inputs, hidden, 1, 1, 1)]
        units += [
            convolution_unit(hidden, hidden, 3, stride, hidden),
            nn.Conv2d(hidden, outputs, 1, bias=False),
            nn.BatchNorm2d(outputs),
        ]
        self.conv = nn.Sequential(*units)
        self.shortcut = stride == 1 and inputs == outputs

    def forward(self, x: Tensor) -> Tensor:
        return x + self.conv(x) if self.shortcut else self.conv(x)


class MobileNetV2(nn.Module):
    """Table 2 of the paper."""

    def __init__(self) -> None:
        super().__init__()
        stages = [
            (1, 16, 1, 1),
            (6, 24, 2, 2),
            (6, 32, 3, 2),
            (6, 64, 4, 2),
            (6, 96, 3, 1),
            (6, 160, 3, 2),
            (6, 320, 1, 1),
        ]
        features: list[nn.Module] = [convolution_unit(3, 32, 3, 2, 1)]
        inputs = 32
        for expansion, outputs, repeats, stride in stages:
            for i in range(repeats):
                step = stride if i == 0 else 1
                features.append(InvertedResidual(inputs, outputs, step, expansion))
                inputs = outputs
        features.append(convolution_unit(inputs, 1280, 1, 1, 1))
        self.features = nn.Sequential(*features)
        self.classifier = nn.Sequential(nn.Dropout(0.2), nn.Linear(1280, 1000))

    def forward(self, x: Tensor) -> Tensor:
        x = nn.functional.adaptive_avg_pool2d(self.features(x), (1, 1))
        return self.classifier(torch.flatten(x, 1))


class EncoderBlock(nn.Module):
    """Attention and a two-layer perceptron, each after a norm and beside a shortcut."""

    def __init__(self, width: int, heads: int, hidden: int) -> None:
        super().__init__()
        self.ln_1 = nn.LayerNorm(width, eps=1e-6)
        self.self_attention = nn.MultiheadAttention(width, heads, batch_first=True)
        self.dropout = nn.Dropout(0.0)
        self.ln_2 = nn.LayerNorm(width, eps=1e-6)
        self.mlp = nn.Sequential(
            nn.Linear(width, hidden),
            nn.GELU(),
            nn.Dropout(0.0),
            nn.Linear(hidden, width),
            nn.Dropout(0.0),
        )

    def forward(self, tokens: Tensor) -> Tensor:
        x = self.ln_1(tokens)
        x, _ = self.self_attention(x, x, x, need_weights=False)
        x = self.dropout(x) + tokens
        return x + self.mlp(self.ln_2(x))


class Encoder(nn.Module):
    """Position embedding, blocks, a last norm."""

    def __init__(self, length: int, depth: int, width: int, heads: int, hidden: int) -> None:
        super().__init__()
        self.pos_embedding = nn.Parameter(torch.zeros(1, length, width))
        self.dropout = nn.Dropout(0.0)
        blocks = [(f"encoder_layer_{i}", EncoderBlock(width, heads, hidden)) for i in range(depth)]
        self.layers = nn.Sequential(OrderedDict(blocks))
        self.ln = nn.LayerNorm(width, eps=1e-6)

    def forward(self, tokens: Tensor) -> Tensor:
        return self.ln(self.layers(self.dropout(tokens + self.pos_embedding)))


class VisionTransformer(nn.Module):
    """On 224x224: square patches and a class token."""

    def __init__(self, patch: int, depth: int = 12, width: int = 768, heads: int = 12) -> None:
        super().__init__()
        self.width = width
        self.patches = (224 // patch) ** 2
        self.class_token = nn.Parameter(torch.zeros(1, 1, width))
        self.conv_proj = nn.Conv2d(3, width, patch, patch)
        self.encoder = Encoder(self.patches + 1, depth, width, heads, 4 * width)
        self.heads = nn.Sequential(OrderedDict([("head", nn.Linear(width, 1000))]))

    def forward(self, x: Tensor) -> Tensor:
        batch = x.shape[0]
        x = self.conv_proj(x).reshape(batch, self.width, self.patches).permute(0, 2, 1)
        x = torch.cat([self.class_token.expand(batch, -1, -1), x], dim=1)
        return self.heads(self.encoder(x)[:, 0])


MODELS = LANGUAGE | DETECTION | {
    "simplecnn": SimpleCnn,
    "resnet18": lambda: ResNet([2, 2, 2, 2], bottleneck=False),
    "resnet34": lambda: ResNet([3, 4, 6, 3], bottleneck=False),
    "resnet50": lambda: ResNet([3, 4, 6, 3], bottleneck=True),
    "resnet101": lambda: ResNet([3, 4, 23, 3], bottleneck=True),
    "resnet152": lambda: ResNet([3, 8, 36, 3], bottleneck=True),
    "mobilenet_v2": MobileNetV2,
    "mobilenet_v3_small": lambda: MobileNetV3(MobileNetV3.SMALL, 1024),
    "mobilenet_v3_large": lambda: MobileNetV3(MobileNetV3.LARGE, 1280),
    "efficientnet_b0": lambda: EfficientNet(width=1.0, depth=1.0),
    "efficientnet_b1": lambda: EfficientNet(width=1.0, depth=1.1),
    "efficientnet_b2": lambda: EfficientNet(width=1.1, depth=1.2),
    "convnext_tiny": lambda: ConvNext([3, 3, 9, 3], 96),
    "convnext_small": lambda: ConvNext([3, 3, 27, 3], 96),
    "convnext_base": lambda: ConvNext([3, 3, 27, 3], 128),
    "vit_b_16": lambda: VisionTransformer(16),
    "vit_b_32": lambda: VisionTransformer(32),
    "vit_l_16": lambda: VisionTransformer(16, depth=24, width=1024, heads=16),
    "vit_l_32": lambda: VisionTransformer(32, depth=24, width=1024, heads=16),
}
