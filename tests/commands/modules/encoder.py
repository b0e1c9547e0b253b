"""A transformer with token ids, a mask, a tied head, and a dict of a tensor and a tuple as output."""

import torch
from torch import nn

ROWS, WIDTH, LENGTH = 50, 32, 12


class Block(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.before = nn.LayerNorm(WIDTH)
        self.attention = nn.MultiheadAttention(WIDTH, 4, batch_first=True)
        self.after = nn.LayerNorm(WIDTH)
        self.mlp = nn.Sequential(nn.Linear(WIDTH, 4 * WIDTH), nn.GELU(), nn.Linear(4 * WIDTH, WIDTH))

    def forward(self, x: torch.Tensor, hidden: torch.Tensor) -> torch.Tensor:
        y = self.before(x)
        x = x + self.attention(y, y, y, key_padding_mask=hidden, need_weights=False)[0]
        return x + self.mlp(self.after(x))


class Encoder(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.tokens = nn.Embedding(ROWS, WIDTH)
        self.register_buffer("scale", torch.linspace(0.5, 1.5, WIDTH))
        self.register_buffer("place", torch.randn(LENGTH, WIDTH), persistent=False)
        self.blocks = nn.ModuleList(Block() for _ in range(2))
        self.head = nn.Linear(WIDTH, ROWS, bias=False)
        self.head.weight = self.tokens.weight

    def forward(self, ids: torch.Tensor, mask: torch.Tensor, shift: torch.Tensor) -> dict:
        x = self.tokens(ids) * self.scale + self.place + shift
        for block in self.blocks:
            x = block(x, mask == 0)
        weights = torch.where(mask > 0, 1.0, 0.0).unsqueeze(-1)
        pooled = (x * weights).sum(1) / weights.sum(1)
        return {"logits": self.head(x), "rest": (pooled, x[:, 0]), "cache": None}


def example_inputs() -> dict:
    mask = torch.ones(2, LENGTH, dtype=torch.int64)
    mask[1, 9:] = 0
    return {
        "shift": torch.zeros(2, LENGTH, WIDTH),
        "mask": mask,
        "ids": torch.randint(ROWS, (2, LENGTH)),
    }
