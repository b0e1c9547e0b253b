"""Multiply-adds of what a module computes. It only counts: what it cannot count is left out, and named."""

from __future__ import annotations

from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import flop_registry

_aten = torch.ops.aten


def _attention(query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, *_: Any, **__: Any) -> int:
    """Queries times keys, then weights times values; query is [..., L, E], with as many heads as
    there are in all."""
    return query.numel() * key.shape[-2] + query.numel() // query.shape[-1] * key.shape[-2] * value.shape[-1]


def _encoder_layer(source: torch.Tensor, *rest: Any, **_: Any) -> int:
    """A fused layer on [batch, length, width]: the matrices among its operands, and attention."""
    matrices = sum(w.numel() for w in rest if isinstance(w, torch.Tensor) and w.dim() == 2)
    tokens = source.numel() // source.shape[-1]
    return tokens * matrices + 2 * source.numel() * source.shape[1]


def _fused_attention(query: torch.Tensor, _key: Any, _value: Any, *rest: Any, **kwargs: Any) -> int:
    return _encoder_layer(query, *rest, **kwargs)


# What torch's own table lacks, or has for other processors.
_OURS = {
    _aten._scaled_dot_product_flash_attention_for_cpu: _attention,
    _aten._scaled_dot_product_attention_math_for_mps: _attention,
    _aten._transformer_encoder_layer_fwd: _encoder_layer,
    _aten._native_multi_head_attention: _fused_attention,
}


class MultiplyAdds(TorchDispatchMode):
    """Counts while it is entered."""

    def __init__(self) -> None:
        super().__init__()
        self.total = 0
        self.left_out: list[str] = []  # operators, each once

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        packet = getattr(func, "overloadpacket", None)
        try:
            if packet in _OURS:
                self.total += _OURS[packet](*args, **(kwargs or {}))
            elif packet in flop_registry:
                self.total += flop_registry[packet](*args, **(kwargs or {}), out_val=result) // 2
        except Exception:  # a shape or type that the formula does not know
            if str(packet) not in self.left_out:
                self.left_out.append(str(packet))
        return result
