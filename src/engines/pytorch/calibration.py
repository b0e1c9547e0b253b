"""The inputs from which a quantiser learns the ranges of activations."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from .model import LoadedModel

Arguments = tuple[tuple[Any, ...], dict[str, Any]]


def samples(model: LoadedModel) -> Iterator[Arguments]:
    """The input sets of the run, by position and by name."""
    return zip(model.input_sets, model.keyword_sets, strict=True)


def note(input_sets: int) -> str:
    return f"calibrated on {input_sets} synthetic inputs"


def range_note(input_sets: int) -> str:
    """Of quantisers whose observers take everything that they see.

    Those of PyTorch's defaults cut off what is rare, which few inputs do not tell: of SimpleCNN's
    outputs on four they cost 0.15, minimum and maximum 0.03.
    """
    return f"{note(input_sets)}, ranges from minimum to maximum"
