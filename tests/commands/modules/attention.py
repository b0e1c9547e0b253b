"""Attention in the ways that people write it; the last rows of the second sequence are padding."""

import torch
from torch import nn
from torch.nn import functional


class Encoder(nn.Module):
    """Drops what is padding on PyTorch's fast path, and only there."""

    def __init__(self) -> None:
        super().__init__()
        layer = nn.TransformerEncoderLayer(32, 4, 64, batch_first=True, dropout=0.1)
        self.layers = nn.TransformerEncoder(layer, 2)

    def forward(self, x: torch.Tensor, padding: torch.Tensor) -> torch.Tensor:
        return self.layers(x, src_key_padding_mask=padding)


class Causal(nn.Module):
    """A mask for the decoder, whose values torch.nn looks at for a hint."""

    def __init__(self) -> None:
        super().__init__()
        self.transformer = nn.Transformer(32, 4, 1, 1, 64, batch_first=True)

    def forward(self, x: torch.Tensor, padding: torch.Tensor) -> torch.Tensor:
        mask = nn.Transformer.generate_square_subsequent_mask(x.shape[1])
        return self.transformer(x, x, tgt_mask=mask, memory_key_padding_mask=padding)


class Weights(nn.Module):
    """Sequence first, keys of another width, attention weights of each head."""

    def __init__(self) -> None:
        super().__init__()
        self.attention = nn.MultiheadAttention(32, 4, kdim=16, vdim=32, add_bias_kv=True)

    def forward(self, x: torch.Tensor, padding: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        x = x.transpose(0, 1)
        return self.attention(x, x[..., :16], x, padding, average_attn_weights=False)


class Product(nn.Module):
    """scaled_dot_product_attention: plain, causal, with a mask, with dropout, with grouped heads."""

    def __init__(self) -> None:
        super().__init__()
        self.project = nn.Linear(32, 96)

    def forward(self, x: torch.Tensor, padding: torch.Tensor) -> torch.Tensor:
        q, k, v = self.project(x).view(2, 10, 3, 4, 8).permute(2, 0, 3, 1, 4)
        attend, few = functional.scaled_dot_product_attention, slice(0, 2)
        seen = ~padding[:, None, None, :]
        total = attend(q, k, v) + attend(q, k, v, is_causal=True) + attend(q, k, v, seen, scale=0.2)
        total = total + attend(q, k, v, seen.float(), dropout_p=0.1 if self.training else 0.0)
        return total + attend(q, k[:, few], v[:, few], enable_gqa=True)


def example_inputs() -> tuple[torch.Tensor, torch.Tensor]:
    padding = torch.zeros(2, 10, dtype=torch.bool)
    padding[1, 7:] = True
    return torch.randn(2, 10, 32), padding
