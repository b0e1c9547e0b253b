"""BERT and GPT-2 as anyone would write them in PyTorch; parameters have Hugging Face's names.

Sources: Devlin et al. 2018 (arXiv 1810.04805); Radford et al. 2019, section 2.3.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn


def split_heads(x: Tensor, heads: int) -> Tensor:
    return x.view(x.shape[0], x.shape[1], heads, -1).transpose(1, 2)


def join_heads(x: Tensor) -> Tensor:
    return x.transpose(1, 2).reshape(x.shape[0], x.shape[2], -1)


class Holder(nn.Module):
    """Gives its submodules a path."""

    def __init__(self, /, **modules: nn.Module) -> None:
        super().__init__()
        for name, module in modules.items():
            self.add_module(name, module)


class BertLayer(nn.Module):
    def __init__(self, hidden: int, heads: int, mlp: int) -> None:
        super().__init__()
        self.heads = heads
        self.attention = Holder(
            self=Holder(
                query=nn.Linear(hidden, hidden),
                key=nn.Linear(hidden, hidden),
                value=nn.Linear(hidden, hidden),
            ),
            output=Holder(dense=nn.Linear(hidden, hidden), LayerNorm=nn.LayerNorm(hidden, 1e-12)),
        )
        self.intermediate = Holder(dense=nn.Linear(hidden, mlp))
        self.output = Holder(dense=nn.Linear(mlp, hidden), LayerNorm=nn.LayerNorm(hidden, 1e-12))

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        own = self.attention.get_submodule("self")
        query, key, value = (
            split_heads(project(x), self.heads) for project in (own.query, own.key, own.value)
        )
        seen = join_heads(F.scaled_dot_product_attention(query, key, value, mask))
        end = self.attention.output
        x = end.LayerNorm(end.dense(seen) + x)
        y = self.output.dense(F.gelu(self.intermediate.dense(x)))
        return self.output.LayerNorm(y + x)


class Bert(nn.Module):
    """The encoder with its pooler, for input_ids, attention_mask, token_type_ids."""

    def __init__(self, hidden: int = 768, heads: int = 12, layers: int = 12) -> None:
        super().__init__()
        self.embeddings = Holder(
            word_embeddings=nn.Embedding(30522, hidden),
            position_embeddings=nn.Embedding(512, hidden),
            token_type_embeddings=nn.Embedding(2, hidden),
            LayerNorm=nn.LayerNorm(hidden, 1e-12),
        )
        stack = [BertLayer(hidden, heads, 4 * hidden) for _ in range(layers)]
        self.encoder = Holder(layer=nn.ModuleList(stack))
        self.pooler = Holder(dense=nn.Linear(hidden, hidden))
        self.register_buffer("position_ids", torch.arange(128), persistent=False)

    def forward(self, ids: Tensor, mask: Tensor, types: Tensor) -> tuple[Tensor, Tensor]:
        table = self.embeddings
        x = table.word_embeddings(ids) + table.token_type_embeddings(types)
        x = table.LayerNorm(x + table.position_embeddings(self.position_ids))
        hidden = (1.0 - mask.to(torch.float32)) * torch.finfo(torch.float32).min
        added = hidden.reshape(mask.shape[0], 1, 1, mask.shape[1])
        for layer in self.encoder.layer:
            x = layer(x, added)
        return x, torch.tanh(self.pooler.dense(x[:, 0]))


class Conv1D(nn.Linear):
    """A linear layer whose weight is [in, out]."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__(inputs, outputs)
        self.weight = nn.Parameter(torch.empty(inputs, outputs))

    def forward(self, x: Tensor) -> Tensor:
        return F.linear(x, self.weight.t(), self.bias)


class Gpt2Block(nn.Module):
    def __init__(self, hidden: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.ln_1 = nn.LayerNorm(hidden)
        self.attn = Holder(c_attn=Conv1D(hidden, 3 * hidden), c_proj=Conv1D(hidden, hidden))
        self.ln_2 = nn.LayerNorm(hidden)
        self.mlp = Holder(c_fc=Conv1D(hidden, 4 * hidden), c_proj=Conv1D(4 * hidden, hidden))

    def forward(self, x: Tensor, past: tuple[Tensor, Tensor] | None) -> tuple[Tensor, Tensor, Tensor]:
        parts = self.attn.c_attn(self.ln_1(x)).split([768, 768, 768], dim=2)
        query, key, value = (split_heads(part, self.heads) for part in parts)
        if past is not None:
            key, value = torch.cat([past[0], key], 2), torch.cat([past[1], value], 2)
        several = query.shape[2] > 1
        seen = F.scaled_dot_product_attention(query, key, value, is_causal=several)
        x = self.attn.c_proj(join_heads(seen)) + x
        y = F.gelu(self.mlp.c_fc(self.ln_2(x)), approximate="tanh")
        return x + self.mlp.c_proj(y), key, value


class Gpt2(nn.Module):
    """Logits of every token; with `cache` of the last, and keys and values of all layers."""

    def __init__(self, length: int, past: int = 0, cache: bool = False) -> None:
        super().__init__()
        self.cache = cache
        self.transformer = Holder(
            wte=nn.Embedding(50257, 768),
            wpe=nn.Embedding(1024, 768),
            h=nn.ModuleList([Gpt2Block(768, 12) for _ in range(12)]),
            ln_f=nn.LayerNorm(768),
        )
        self.register_buffer("position_ids", torch.arange(past, past + length), persistent=False)

    def forward(self, ids: Tensor, *past: Tensor) -> Tensor | tuple[Tensor, ...]:
        inside = self.transformer
        x = inside.wte(ids) + inside.wpe(self.position_ids)
        present: list[Tensor] = []
        for i, block in enumerate(inside.h):
            x, key, value = block(x, past[2 * i : 2 * i + 2] or None)
            present += [key, value]
        x = inside.ln_f(x)
        head = inside.wte.weight
        return (F.linear(x[:, x.shape[1] - 1], head), *present) if self.cache else F.linear(x, head)


MODELS = {
    "bert_base": Bert,
    "gpt2": lambda: Gpt2(128),
    "gpt2_prefill": lambda: Gpt2(128, cache=True),
    "gpt2_decode": lambda: Gpt2(1, past=128, cache=True),
}
