"""YOLOv8's network as anyone would write it in PyTorch from its published diagram.

Parameters have the names of its checkpoints; module numbers are the diagram's
(github.com/ultralytics/ultralytics/issues/189).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn


class Conv(nn.Module):
    def __init__(self, inputs: int, outputs: int, kernel: int = 1, stride: int = 1) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, bias=False)
        self.bn = nn.BatchNorm2d(outputs, eps=1e-3, momentum=0.03)
        self.act = nn.SiLU(inplace=True)

    def forward(self, x: Tensor) -> Tensor:
        return self.act(self.bn(self.conv(x)))


class Bottleneck(nn.Module):
    def __init__(self, channels: int, shortcut: bool) -> None:
        super().__init__()
        self.cv1 = Conv(channels, channels, 3)
        self.cv2 = Conv(channels, channels, 3)
        self.shortcut = shortcut

    def forward(self, x: Tensor) -> Tensor:
        y = self.cv2(self.cv1(x))
        return x + y if self.shortcut else y


class C2f(nn.Module):
    def __init__(self, inputs: int, outputs: int, blocks: int, shortcut: bool) -> None:
        super().__init__()
        self.cv1 = Conv(inputs, outputs)
        self.m = nn.ModuleList([Bottleneck(outputs // 2, shortcut) for _ in range(blocks)])
        self.cv2 = Conv((2 + blocks) * (outputs // 2), outputs)

    def forward(self, x: Tensor) -> Tensor:
        entered = self.cv1(x)
        half = entered.shape[1] // 2
        stages = list(entered.split([half, half], 1))
        for block in self.m:
            stages.append(block(stages[-1]))
        return self.cv2(torch.cat(stages, 1))


class Sppf(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.cv1 = Conv(channels, channels // 2)
        self.cv2 = Conv(2 * channels, channels)
        self.m = nn.MaxPool2d(5, 1, 2)

    def forward(self, x: Tensor) -> Tensor:
        stages = [self.cv1(x)]
        for _ in range(3):
            stages.append(self.m(stages[-1]))
        return self.cv2(torch.cat(stages, 1))


class Detect(nn.Module):
    def __init__(self, channels: list[int], classes: int = 80, bins: int = 16) -> None:
        super().__init__()
        box = max(16, channels[0] // 4, 4 * bins)
        kind = max(channels[0], min(classes, 100))

        def branches(width: int, outputs: int) -> nn.ModuleList:
            return nn.ModuleList(
                nn.Sequential(
                    Conv(inputs, width, 3), Conv(width, width, 3), nn.Conv2d(width, outputs, 1)
                )
                for inputs in channels
            )

        self.cv2 = branches(box, 4 * bins)
        self.cv3 = branches(kind, classes)

    def forward(self, *scales: Tensor) -> tuple[Tensor, ...]:
        parts = zip(self.cv2, self.cv3, scales)
        return tuple(torch.cat([box(x), kind(x)], 1) for box, kind, x in parts)


class YoloV8(nn.Module):
    def __init__(self, width: float, depth: float = 1 / 3) -> None:
        super().__init__()
        a, b, c, d, e = (round(width * channels) for channels in (64, 128, 256, 512, 1024))
        few, many = round(3 * depth), round(6 * depth)
        up = nn.Upsample(scale_factor=2, mode="nearest")
        self.model = nn.ModuleList([
            Conv(3, a, 3, 2), Conv(a, b, 3, 2), C2f(b, b, few, True),
            Conv(b, c, 3, 2), C2f(c, c, many, True), Conv(c, d, 3, 2), C2f(d, d, many, True),
            Conv(d, e, 3, 2), C2f(e, e, few, True), Sppf(e),
            up, nn.Identity(), C2f(e + d, d, few, False),
            up, nn.Identity(), C2f(d + c, c, few, False),
            Conv(c, c, 3, 2), nn.Identity(), C2f(c + d, d, few, False),
            Conv(d, d, 3, 2), nn.Identity(), C2f(d + e, e, few, False),
            Detect([c, d, e]),
        ])  # fmt: skip

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        at = self.model
        x = at[2](at[1](at[0](x)))
        p3 = at[4](at[3](x))
        p4 = at[6](at[5](p3))
        p5 = at[9](at[8](at[7](p4)))
        middle = at[12](torch.cat([at[10](p5), p4], 1))
        fine = at[15](torch.cat([at[13](middle), p3], 1))
        medium = at[18](torch.cat([at[16](fine), middle], 1))
        coarse = at[21](torch.cat([at[19](medium), p5], 1))
        return at[22](fine, medium, coarse)


MODELS = {"yolov8n": lambda: YoloV8(0.25), "yolov8s": lambda: YoloV8(0.5)}
