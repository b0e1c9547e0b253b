"""The inputs from which a quantiser learns the ranges of activations, and how ranges follow from them."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from typing import Any

import torch

from .model import LoadedModel
from .protocol import EngineError

Arguments = tuple[tuple[Any, ...], dict[str, Any]]

PERCENTILE = 99.999  # of the values seen, as ONNX Runtime's calibrator has it by default

_RANGES = {
    "minmax": "ranges from minimum to maximum",
    "percentile": f"ranges that hold {PERCENTILE} % of what was seen",
    "entropy": "ranges that lose the least entropy",
}
_BY_ERROR = "ranges of least error, by PyTorch's HistogramObserver: it has no calibrator by entropy"


def samples(model: LoadedModel) -> Iterator[Arguments]:
    """The input sets of the job, by position and by name."""
    return zip(model.input_sets, model.keyword_sets, strict=True)


def range_note(method: str) -> str:
    """Of ONNX Runtime's calibrators. Raises EngineError for a method that there is not."""
    if method not in _RANGES:
        raise EngineError(
            "unsupported", f"no calibration method '{method}'", f"there are {', '.join(_RANGES)}"
        )
    return _RANGES[method]


def torch_range_note(method: str) -> str:
    """Of PyTorch's observers.

    The default is minimum to maximum: those of PyTorch's own defaults cut off what is rare, which few
    inputs do not tell: of SimpleCNN's outputs on four they cost 0.15, minimum and maximum 0.03.
    """
    return _BY_ERROR if method == "entropy" else range_note(method)


def observer(observers: Any, method: str) -> Any:
    """The class of `observers` (torch.ao.quantization or torchao's pt2e) for one range of a tensor."""
    if method == "percentile":
        return _percentile(observers.HistogramObserver)
    return observers.HistogramObserver if method == "entropy" else observers.MinMaxObserver


@functools.cache
def _percentile(histogram_observer: Any) -> Any:
    class PercentileObserver(histogram_observer):  # type: ignore[misc]
        """Cuts off what lies beyond the percentile, half of it at each end of the histogram."""

        def _non_linear_param_search(self) -> tuple[torch.Tensor, torch.Tensor]:
            seen = torch.cumsum(self.histogram.double(), 0)
            cut = (100 - PERCENTILE) / 200 * seen[-1]
            first = torch.searchsorted(seen, cut)
            last = torch.searchsorted(seen, seen[-1] - cut).clamp(max=self.bins - 1)
            width = (self.max_val - self.min_val) / self.bins
            return self.min_val + width * first, self.min_val + width * (last + 1)

    return PercentileObserver
