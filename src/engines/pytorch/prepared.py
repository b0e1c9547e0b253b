"""What a capture does to a module leaves what it computes: looked at once, part by part.

Also whether PyTorch's fast path for attention, which eager inference takes by itself, computes
something else than the module's own code: it drops what a padding mask hides.
"""

from __future__ import annotations

import contextlib
import copy
import unittest.mock
from collections.abc import Iterator
from typing import Any

import torch
from torch import nn

from .examples import Argument, call_of
from .user_module import ModuleError, named_outputs, named_tensors

_FURTHEST = {torch.float64: 1e-3, torch.float16: 5e-2, torch.bfloat16: 0.2}  # relative L2
_FAST_PATH = 1e-2  # relative L2 beyond which it computes something else


class Preparation:
    """A module before it is prepared for inference, so that it can be held against itself after."""

    def __init__(self, given: nn.Module) -> None:
        floats = {t.dtype for _, t in named_tensors(given) if t.is_floating_point()}
        self._dtype = next((d for d in floats if d in _FURTHEST), None)
        # Plain float32 is left as it is: there is nothing to compare.
        self._before = None
        if self._dtype is not None:
            with contextlib.suppress(Exception):  # what cannot be copied cannot be compared
                self._before = copy.deepcopy(given)

    def check(self, module: nn.Module, arguments: list[Argument]) -> None:
        """Raises ModuleError where the module computes something else than before."""
        if self._before is None or self._dtype is None:
            return
        weights = dict(named_tensors(module))
        for name, tensor in named_tensors(self._before):  # a checkpoint may have replaced them
            tensor.data = weights[name].data.to(tensor.dtype, copy=True)
        self._before.cpu().eval()
        values = {
            a.name: a.value.to(self._dtype if a.value.is_floating_point() else a.value.dtype)
            for a in arguments
        }
        try:
            before = _parts(self._before, arguments, values)
        except Exception:  # code that insists on float32, types that the CPU has no kernel for
            return
        after = _parts(module, arguments, {a.name: a.value for a in arguments})
        for (name, first), (_, second) in zip(before, after):
            if (apart := _distance(first, second)) > _FURTHEST[self._dtype]:
                kind = str(self._dtype).removeprefix("torch.")
                raise ModuleError(
                    f"in float32 it computes something else than in its own {kind}: "
                    f"{name} is off by {apart:.1e}",
                    "give a module whose weights are float32",
                )


def _parts(
    module: nn.Module, arguments: list[Argument], values: dict[str, torch.Tensor]
) -> list[tuple[str, torch.Tensor]]:
    """The result of each module inside, in order of the calls, then the outputs."""
    seen: list[tuple[str, torch.Tensor]] = []
    handles = [
        part.register_forward_hook(
            lambda _, __, result, name=name: (
                seen.append((f"'{name}'", result)) if isinstance(result, torch.Tensor) else None
            )
        )
        for name, part in module.named_modules()
        if name and not isinstance(part, torch.jit.ScriptModule)
    ]
    args, kwargs = call_of(arguments, {name: value.clone() for name, value in values.items()})
    try:
        with torch.no_grad():
            outputs = named_outputs(module(*args, **kwargs))
    finally:
        for handle in handles:
            handle.remove()
    return seen + [(f"output '{name}'", value) for name, value in outputs]


def _distance(a: torch.Tensor, b: torch.Tensor) -> float:
    """L2 distance relative to the first; infinite for other shapes or places that are no numbers."""
    if a.shape != b.shape or not torch.equal(torch.isfinite(a), torch.isfinite(b)):
        return float("inf")
    wide = torch.complex128 if a.is_complex() or b.is_complex() else torch.float64
    a, b = (torch.where(torch.isfinite(t), t, 0).to(wide) for t in (a, b))
    norm = torch.linalg.vector_norm(a).item()
    return torch.linalg.vector_norm(a - b).item() / max(norm, 1e-30)


@contextlib.contextmanager
def own_code() -> Iterator[None]:
    """Attention as the module's code has it: no fused layers and nested tensors, and no look at the
    values of a mask for a hint that changes no result, which torch.export cannot follow."""
    enabled = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        with unittest.mock.patch.object(
            nn.modules.transformer,
            "_detect_is_causal_mask",
            lambda mask, is_causal=None, size=None: is_causal is True,
        ):
            yield
    finally:
        torch.backends.mha.set_fastpath_enabled(enabled)


def has_fast_path(module: nn.Module) -> bool:
    kinds = (nn.MultiheadAttention, nn.TransformerEncoderLayer)
    return any(isinstance(part, kinds) for part in module.modules())


def differ(outputs: list[tuple[str, torch.Tensor]], own: list[tuple[str, torch.Tensor]]) -> bool:
    """Whether the fast path gives other outputs than the module's own code, beyond rounding."""
    return any(_distance(b, a) > _FAST_PATH for (_, a), (_, b) in zip(outputs, own, strict=True))
