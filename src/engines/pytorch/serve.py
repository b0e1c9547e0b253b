"""The body of the engine's main: arguments, the descriptor, the loop over requests."""

import gc
import json
import os
import sys
import time
import traceback
from collections.abc import Iterator
from typing import Any, Protocol

from .charges import between, read_charges, read_memory
from .protocol import MAX_SAMPLES, Doubt, EngineError, Job, job_of, read_frame, write_frame
from .sample import Infer, clock_floor_ns, clock_ns, quiet_collector, rotation, time_sample

Reply = dict[str, Any]

# How runtimes say that memory could not be had; the list of src/engine/guard.cc.
_MEMORY_SIGNS = (
    "std::bad_alloc",
    "bad allocation",
    "can't allocate memory",
    "not enough memory",
    "Cannot allocate memory",
)


class Engine(Protocol):
    """What is served; the twin of engine::Engine."""

    infer: Infer  # one inference on an input set: the timed call

    def describe(self) -> Reply: ...
    def prepare(self, job: Job) -> list[str]: ...  # notes
    def load(self, job: Job) -> Reply: ...  # threads, precision, device, notes
    def guard(self) -> Any: ...  # a context in which infer runs
    def write_outputs(self, path: str, sets: int) -> None: ...


class Worker:
    """Answers requests for one engine."""

    def __init__(self, engine: Engine) -> None:
        self.closed = False
        self._engine = engine
        self._input_sets = 0
        self._sets: Iterator[int] = iter(())

    def answer(self, request: Reply) -> Reply:
        try:
            return {"ok": True} | self._dispatch(request)
        except EngineError as e:
            return {"ok": False, "error": error_of(e)}
        except Exception as e:  # a runtime may raise anything; the worker survives it
            traceback.print_exc()
            return {"ok": False, "error": error_of(e)}

    def _dispatch(self, request: Reply) -> Reply:
        verb = request.get("verb")
        verbs = {
            "describe": lambda _: self._engine.describe(),
            "prepare": self._prepare,
            "load": self._load,
            "infer": self._infer,
            "outputs": self._outputs,
            "memory": lambda r: read_memory(r.get("reset", False)),
            "close": self._close,
        }
        if verb not in verbs:
            raise EngineError("failed", f"no verb '{verb}' in the protocol")
        return verbs[verb](request)

    def _prepare(self, request: Reply) -> Reply:
        job = job_of(request)
        begin = time.perf_counter()
        notes = self._engine.prepare(job)
        return {"seconds": time.perf_counter() - begin} | noted(notes)

    def _load(self, request: Reply) -> Reply:
        job = job_of(request)
        self._input_sets = 0
        gc.enable()
        begin = time.perf_counter()
        loaded = self._engine.load(job)
        seconds = time.perf_counter() - begin
        self._input_sets = job.input_sets
        self._sets = rotation(job.input_sets)
        quiet_collector()
        return {"seconds": seconds} | loaded | noted(loaded["notes"])

    def _infer(self, request: Reply) -> Reply:
        self._require_loaded("infer")
        discard, count, batch = (request[key] for key in ("discard", "count", "batch"))
        if discard < 0 or not 0 <= count <= MAX_SAMPLES or batch < 1:
            raise EngineError(
                "failed", f"cannot discard {discard} and take {count} samples of {batch} inferences"
            )
        infer, sets = self._engine.infer, self._sets
        with self._engine.guard():
            for _ in range(discard):
                infer(next(sets))
            before = read_charges()
            samples = [time_sample(clock_ns, infer, sets, batch) for _ in range(count)]
            charges = between(before, read_charges())
            floor = clock_floor_ns(clock_ns)
        gc.collect()  # of what the slice left, which is little: the rest is frozen
        return {"samples_ns": samples, "charges": charges, "clock_floor_ns": floor}

    def _outputs(self, request: Reply) -> Reply:
        self._require_loaded("outputs")
        self._engine.write_outputs(request["path"], self._input_sets)
        return {}

    def _close(self, _: Reply) -> Reply:
        self.closed = True
        return {}

    def _require_loaded(self, verb: str) -> None:
        if self._input_sets == 0:
            raise EngineError("failed", f"'{verb}' before 'load'")


def noted(notes: list[str]) -> Reply:
    """Notes, and the first of those that are doubts apart."""
    doubt = next((str(note) for note in notes if isinstance(note, Doubt)), "")
    return {"notes": [note for note in notes if note != doubt], "doubt": doubt}


def error_of(e: Exception) -> Reply:
    """An exception as the protocol's error: its kind, and its first lines as one."""
    if isinstance(e, EngineError):
        return {"kind": e.kind, "message": e.message, "hint": e.hint}
    lines = [line.strip() for line in str(e).splitlines() if line.strip()] or [""]
    text = " ".join(lines[:2]) if lines[0].endswith(":") else lines[0]
    kind = "failed"
    if isinstance(e, MemoryError) or any(sign in str(e) for sign in _MEMORY_SIGNS):
        kind = "out_of_memory"
    elif isinstance(e, NotImplementedError):
        kind = "unsupported"
    return {"kind": kind, "message": f"{type(e).__name__}: {text}", "hint": ""}


def serve(engine: Engine, argv: list[str]) -> int:
    """Serves requests until `close` or end of file, or describes the engine. The exit status."""
    if argv[1:] == ["--describe"]:
        print(json.dumps(engine.describe(), indent=2))
        return 0
    if len(argv) != 3 or argv[1] != "--protocol-fd" or not argv[2].isdecimal():
        print(f"usage: {argv[0]} --protocol-fd N | --describe", file=sys.stderr)
        return 2
    fd = int(argv[2])
    try:
        # At once: a compiler that PyTorch starts would hold it open, and end of file never come.
        os.set_inheritable(fd, False)
    except OSError:
        print(f"{argv[0]}: descriptor {fd} is not open", file=sys.stderr)
        return 2
    return _loop(Worker(engine), fd)


def _loop(worker: Worker, fd: int) -> int:
    while not worker.closed:
        try:
            request = read_frame(fd)
        except ValueError as e:
            print(f"assay-engine-pytorch: {e}", file=sys.stderr)
            return 1
        if request is None:
            return 0
        try:
            write_frame(fd, worker.answer(request))
        except (BrokenPipeError, ConnectionError):
            return 0
    return 0
