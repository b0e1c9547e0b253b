"""What fp32 can do to a model: its outputs again and again, each time rounded in another way.

A reference job, never timed. What it writes of set K of an output, as NAME.K, are four numbers:
the greatest L2 distance of a run from fp64; that of fp64 from itself when the sets are run once
more, the last one first (which differ where outputs depend on earlier calls, or are drawn at random);
the L2 norm in fp64; and 1 if anything is drawn at random, else 0. The runs are fp64 with every weight, input and result moved by one rounding
of float32 (Monte Carlo arithmetic: Parker, UCLA CSD-970002, 1997), and fp32 with sums in other
orders. docs/measuring.md, "Output verdict".
"""

from __future__ import annotations

import contextlib
import dataclasses
import math
from collections.abc import Iterator
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode

from .model import LoadedModel, in_channels_last, load_model
from .prepared import own_code
from .protocol import Job

UNIT_ROUNDOFF = 2.0**-24  # of float32
_FEW, _FEW_NUMBERS = 3, 100  # runs with results moved where outputs hold fewer numbers; else one
_POOL = 2**18 - 1  # odd, so that rows of even width do not all meet the same

Outputs = list[tuple[str, torch.Tensor]]


class Rounded(TorchDispatchMode):
    """Moves every floating-point result by a unit roundoff of float32, up or down at random."""

    def __init__(self, seed: int) -> None:
        super().__init__()
        self.draws = False  # whether anything was drawn at random
        self._random = torch.Generator().manual_seed(seed)
        signs = torch.randint(0, 2, (_POOL,), generator=self._random, dtype=torch.float64)
        self._pool = signs.mul_(2).sub_(1).mul_(UNIT_ROUNDOFF).add_(1).repeat(2)

    def __torch_dispatch__(
        self, func: Any, types: Any, args: Any = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        kwargs = kwargs or {}
        result = func(*args, **kwargs)
        idle = func is torch.ops.aten.dropout.default and not args[2]  # not in training
        self.draws |= torch.Tag.nondeterministic_seeded in func.tags and not idle
        given = {_storage(value) for value in _tensors([*args, *kwargs.values()])}
        for tensor in _tensors(result):
            computed = func._schema.is_mutable or _storage(tensor) not in given
            if computed and tensor.dtype == torch.float64:
                tensor.mul_(self._factors(tensor))
        return result

    def moved(self, tensor: torch.Tensor) -> torch.Tensor:
        return tensor * self._factors(tensor) if tensor.dtype == torch.float64 else tensor

    def _factors(self, tensor: torch.Tensor) -> torch.Tensor:
        """From a pool, at another place each time: drawing them takes longer than the model."""
        begin = int(torch.randint(0, _POOL, (), generator=self._random))
        count, turned = tensor.numel(), self._pool[begin : begin + _POOL]
        return (turned.repeat(-(-count // _POOL)) if count > _POOL else turned)[:count].view(
            tensor.shape
        )


def _tensors(value: Any) -> list[torch.Tensor]:
    if isinstance(value, torch.Tensor):
        return [value]
    if isinstance(value, (list, tuple)):
        return [tensor for item in value for tensor in _tensors(item)]
    return []


def _storage(tensor: torch.Tensor) -> int:
    return tensor.untyped_storage()._cdata


def measure(job: Job) -> dict[str, torch.Tensor]:
    """The four numbers of each output and set."""
    sets = range(job.input_sets)
    with torch.inference_mode():
        model = _load(job, "fp64")
        wide = [_outputs(model, chosen) for chosen in sets]
        again = {(k, n): _distance(a, b) for k in reversed(sets) for n, a, b in _pairs(wide, model, k)}
        reach = dict.fromkeys(again, 0.0)
        numbers = sum(value.numel() for _, value in wide[0])
        modes = [Rounded(seed) for seed in range(_FEW if numbers < _FEW_NUMBERS else 1)]
        for mode in modes:
            _extend(reach, wide, _moved(_load(job, "fp64"), mode))
    for order in (_one_thread, _without_onednn, _other_layout):
        with (
            contextlib.suppress(RuntimeError),
            torch.inference_mode(),
            own_code(),
            order(job) as other,
        ):
            _extend(reach, wide, other)
    norms = {(k, name): _norm(value) for k in sets for name, value in wide[k]}
    return {
        f"{name}.{k}": torch.tensor(
            [reach[k, name], again[k, name], norm, float(modes[0].draws)], dtype=torch.float64
        )
        for (k, name), norm in norms.items()
    }


def _pairs(
    wide: list[Outputs], model: LoadedModel, chosen: int
) -> Iterator[tuple[str, torch.Tensor, torch.Tensor]]:
    for (name, first), (_, second) in zip(wide[chosen], _outputs(model, chosen), strict=True):
        yield name, first, second


def _extend(reach: dict[tuple[int, str], float], wide: list[Outputs], model: LoadedModel) -> None:
    for chosen in range(len(wide)):
        for name, first, second in _pairs(wide, model, chosen):
            reach[chosen, name] = max(reach[chosen, name], _distance(first, second))


def _distance(a: torch.Tensor, b: torch.Tensor) -> float:
    """Infinite where they cannot be subtracted."""
    return _norm(a.double() - b.double()) if a.shape == b.shape else math.inf


def _norm(values: torch.Tensor) -> float:
    return torch.linalg.vector_norm(values.double()).item()


def _load(job: Job, precision: str) -> LoadedModel:
    torch.set_default_dtype(torch.float32)  # a user's module in fp64 has set another
    recipe = dataclasses.replace(job.recipe, precision=precision, rounding=False)
    return load_model(dataclasses.replace(job, recipe=recipe))


def _outputs(model: LoadedModel, chosen: int) -> Outputs:
    outputs = model.module(*model.input_sets[chosen], **model.keyword_sets[chosen])
    return [(name, value.clone()) for name, value in model.named_outputs(outputs)]


def _moved(model: LoadedModel, mode: Rounded) -> LoadedModel:
    for tensor in (*model.module.parameters(), *model.module.buffers()):
        tensor.data = mode.moved(tensor.data)
    return dataclasses.replace(
        model,
        module=_Under(mode, model.module),
        input_sets=[tuple(map(mode.moved, inputs)) for inputs in model.input_sets],
        keyword_sets=[{k: mode.moved(v) for k, v in s.items()} for s in model.keyword_sets],
    )


class _Under(torch.nn.Module):
    def __init__(self, mode: Rounded, module: torch.nn.Module) -> None:
        super().__init__()
        self.mode, self.module = mode, module

    def forward(self, *args: torch.Tensor, **kwargs: torch.Tensor) -> Any:
        with self.mode:
            return self.module(*args, **kwargs)


@contextlib.contextmanager
def _one_thread(job: Job) -> Iterator[LoadedModel]:
    torch.set_num_threads(1)
    try:
        yield _load(job, "fp32")
    finally:
        torch.set_num_threads(job.threads)


@contextlib.contextmanager
def _without_onednn(job: Job) -> Iterator[LoadedModel]:
    with torch.backends.mkldnn.flags(enabled=False):
        yield _load(job, "fp32")


@contextlib.contextmanager
def _other_layout(job: Job) -> Iterator[LoadedModel]:
    """Channels last, for what has four axes; all else as it is, with all threads."""
    yield in_channels_last(_load(job, "fp32"))
