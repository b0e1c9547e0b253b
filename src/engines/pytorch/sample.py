"""The clock: the one place in Python where two readings of it around an inference are subtracted."""

import gc
import itertools
import statistics
import time
from collections.abc import Callable, Iterator

# CLOCK_MONOTONIC on Linux, the clock of the C++ kit.
clock_ns = time.perf_counter_ns

Infer = Callable[[int], None]


def rotation(sets: int) -> Iterator[int]:
    """Goes round the input sets 0 .. sets-1 for ever."""
    return itertools.cycle(range(sets))


def time_sample(clock: Callable[[], int], infer: Infer, sets: Iterator[int], batch: int) -> float:
    """One sample: `batch` inferences between two readings, divided by `batch`; nanoseconds."""
    if batch == 1:
        chosen = next(sets)
        begin = clock()
        infer(chosen)
        end = clock()
        return float(end - begin)
    batch_sets = [next(sets) for _ in range(batch)]
    begin = clock()
    for chosen in batch_sets:
        infer(chosen)
    end = clock()
    return (end - begin) / batch


def clock_floor_ns(clock: Callable[[], int]) -> float:
    """Median of two readings around nothing."""
    floors = []
    for _ in range(101):
        begin = clock()
        end = clock()
        floors.append(end - begin)
    return float(statistics.median(floors))


def quiet_collector() -> None:
    """Collects once, then freezes what is there and turns the garbage collector off."""
    gc.unfreeze()
    gc.collect()
    gc.freeze()
    gc.disable()
