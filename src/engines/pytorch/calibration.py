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
