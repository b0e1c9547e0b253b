"""Frames and values of the protocol; src/engine/protocol.h is its definition."""

import dataclasses
import json
import os
from typing import Any

VERSION = 1
MAX_FRAME_BYTES = 16 << 20
MAX_SAMPLES = 500_000  # of one slice; its reply stays below MAX_FRAME_BYTES


class EngineError(Exception):
    """What an engine answers instead of a result.

    kind  "unsupported", "failed" or "out_of_memory"
    """

    def __init__(self, kind: str, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.kind, self.message, self.hint = kind, message, hint


class Doubt(str):
    """A note that says why what was made is not what was asked for: its arm is mistrusted."""


@dataclasses.dataclass(frozen=True)
class Recipe:
    """How a model is to be run; conversion::Recipe. What a request leaves out is the default."""

    capture: str  # "none", "export", "trace", "script"
    compiler: str  # "eager", "inductor", "aot_inductor", "torchscript"
    precision: str  # of weights and inputs, or of autocast
    freezing: bool
    graph_optimization: str
    as_is: bool = False  # every number in the type that the file has
    mode: str = "default"  # of inductor
    fullgraph: bool = False  # of inductor: a graph break is an error
    eager_fallback: bool = False  # of inductor: what it cannot compile runs eagerly
    autocast: bool = False  # weights stay float32, operators choose
    quantisation: str = ""  # "plain" or another key of recipes.QUANTISERS
    weights: str = ""  # of a quantisation: "int8", "int4", "int2", "float8_e4m3fn" ...
    activations: str = ""  # of a quantisation: "int8", or what they come in
    calibration: str = "minmax"  # or "percentile", "entropy": how ranges follow from what is seen
    decompose: bool = False  # run_decompositions after capture and quantisation
    channels_last: bool = False  # 4-D weights and inputs
    onednn_graph: bool = False  # of torchscript
    rounding: bool = False  # a reference: the outputs of all that rounding.py runs


@dataclasses.dataclass(frozen=True)
class Job:
    """What prepare and load are told; paths are absolute."""

    conversion: str
    recipe: Recipe
    onnx: str
    program: str
    module: str
    artifact: str
    inputs: str
    input_sets: int
    threads: int
    options: dict[str, Any]


def job_of(request: dict[str, Any]) -> Job:
    """The job of a request to prepare or load. Raises EngineError for one that is none."""
    try:
        recipe = _recipe_of(request["recipe"])
        fields = {f.name: request[f.name] for f in dataclasses.fields(Job)}
    except (KeyError, TypeError) as e:
        raise EngineError("failed", f"a job: {e} is missing or of the wrong type") from e
    job = Job(**fields | {"recipe": recipe})
    if job.input_sets < 1 or job.threads < 1:
        raise EngineError(
            "failed",
            "a job needs 1 input set and 1 thread at least, "
            f"got {job.input_sets} and {job.threads}",
        )
    return job


def _recipe_of(asked: dict[str, Any]) -> Recipe:
    """Fields that other engines alone know are left aside."""
    fields = dataclasses.fields(Recipe)
    needed = [f.name for f in fields if f.default is dataclasses.MISSING]
    given = {f.name: asked[f.name] for f in fields if f.name in asked}
    return Recipe(**{name: asked[name] for name in needed} | given)


def _read_exactly(fd: int, count: int) -> bytes | None:
    """`count` bytes, None at end of file."""
    parts = []
    while count > 0:
        part = os.read(fd, count)
        if not part:
            return None
        parts.append(part)
        count -= len(part)
    return b"".join(parts)


def read_frame(fd: int) -> dict[str, Any] | None:
    """One frame, None at end of file. Raises ValueError for anything that is no frame."""
    head = _read_exactly(fd, 4)
    if head is None:
        return None
    length = int.from_bytes(head, "little")
    if length > MAX_FRAME_BYTES:
        raise ValueError(f"a frame of {length} bytes, {MAX_FRAME_BYTES} at most")
    body = _read_exactly(fd, length)
    if body is None:
        return None
    message = json.loads(body)
    if not isinstance(message, dict):
        raise ValueError("a frame that is no JSON object")
    return message


def write_frame(fd: int, message: dict[str, Any]) -> None:
    """Writes one frame, all of it. Raises ValueError when it is too long."""
    body = json.dumps(message).encode()
    if len(body) > MAX_FRAME_BYTES:
        raise ValueError(f"a frame of {len(body)} bytes, {MAX_FRAME_BYTES} at most")
    rest = memoryview(len(body).to_bytes(4, "little") + body)
    while rest:
        rest = rest[os.write(fd, rest) :]
