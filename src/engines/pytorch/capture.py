"""Captures a module of the user's into a folder, once: what makes it again, its weights, and what
torch.export and torch.onnx make of it.

usage: assay-capture-module TARGET --folder PATH --into FOLDER [--seed N] [--batch-size N]
                            [--input-shape 1x3x224x224] [--weights FILE]

Writes FOLDER/module.json and the files that it names, or FOLDER/error.json ({"message", "hint"}) and
ends with 1. What the user's code prints goes where it would.
"""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import hashlib
import json
import pathlib
import signal
import traceback
from collections.abc import Iterator
from typing import Any

import numpy
import torch
from safetensors.torch import save_file
from torch import nn

from . import checkpoint, examples, exported, prepared, sources, user_module
from .user_module import MODULE_FILE, WEIGHTS_FILE, ModuleError

STAGE_FILE = "stage"
PROGRAM_FILE, GRAPH_FILE = "program.json", "model.onnx"


def main(argv: list[str]) -> int:
    options = _options(argv[1:])
    options.into = options.into.absolute()  # it may change directory
    try:
        facts = _Capture(options).run()
    except SystemExit as e:
        _write(options.into / "error.json", _exit_of(e, options.target))
        return 1
    except (Exception, KeyboardInterrupt) as e:  # the user's code may raise anything
        traceback.print_exc()
        _write(options.into / "error.json", _error_of(e, options.target))
        return 1
    _write(options.into / MODULE_FILE, facts)
    return 0


def _options(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="assay-capture-module")
    parser.add_argument("target")
    parser.add_argument("--folder", required=True)
    parser.add_argument("--into", type=pathlib.Path, required=True)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--batch-size", type=int, default=1)
    parser.add_argument("--input-shape", type=_shape, default=[])
    parser.add_argument("--weights", type=pathlib.Path)
    parser.add_argument("--timeout", type=float, default=1800, help="seconds for a stage")
    return parser.parse_args(arguments)


def _shape(text: str) -> list[int]:
    return [int(part) for part in text.split("x")]


def _exit_of(e: SystemExit, target: str) -> dict[str, str]:
    place = sources.place_of(e)
    return {
        "message": f"python:{target} ends the program while it is imported or run"
        f"{f' ({place})' if place else ''}",
        "hint": "keep what parses arguments or exits behind if __name__ == '__main__'",
    }


def _error_of(e: BaseException, target: str) -> dict[str, str]:
    if isinstance(e, ModuleError):
        return {"message": e.message, "hint": e.hint}
    place = sources.place_of(e)
    return {
        "message": f"python:{target} raised {sources.one_line(e)}{f' ({place})' if place else ''}",
        "hint": "it must be importable, made and run once by the environment's Python alone",
    }


def _write(path: pathlib.Path, content: Any) -> None:
    path.write_text(json.dumps(content, indent=1) + "\n")


class _Capture:
    """One capture; used once."""

    def __init__(self, options: argparse.Namespace) -> None:
        self._o = options
        self._name = options.target.rpartition(":")[2]

    def run(self) -> dict[str, Any]:
        """The facts of module.json. Raises ModuleError, or what the user's code raises."""
        watch = sources.Watch()
        self._begin("its import")
        namespace, found = user_module.import_target(self._o.target, self._o.folder)
        self._begin("making the module")
        given = user_module.instance(found, self._o.target, self._o.seed)
        dtypes = {tensor.dtype for _, tensor in user_module.named_tensors(given)}
        preparation = prepared.Preparation(given)
        module = user_module.for_inference(given)
        if self._o.weights is not None:
            checkpoint.put_in(module, self._o.weights, self._name)
        arguments = examples.arguments_of(
            module, namespace, self._o.input_shape, self._o.batch_size, self._o.seed
        )
        self._begin("its first inference")
        weights = {n: t.detach().clone() for n, t in user_module.named_tensors(module)}
        seen = self._observe(module, arguments, weights)
        preparation.check(module, arguments)
        files = watch.stop()
        user_module.restore(module, weights)
        named = {n: t.detach() for n, t in user_module.named_tensors(module)}
        reasons = self._export(module, arguments, seen, named)
        save_file({n: t.contiguous().clone() for n, t in named.items()}, self._path(WEIGHTS_FILE))
        facts = {
            "schema": user_module.SCHEMA,
            "name": self._name,
            "target": self._o.target,
            "folder": self._o.folder,
            "seed": self._o.seed,
            "weights": "file" if self._o.weights is not None else "module",
            "parameters": sum(p.numel() for p in module.parameters() if p.is_floating_point()),
            "macs": seen.macs,
            "not_counted": seen.not_counted,
            "arguments": [_described(a.name, a.value, keyword=a.keyword) for a in arguments],
            "outputs": [_described(name, value) for name, value in seen.outputs],
            "given_inputs": self._write_integers(arguments, seen),
            **reasons,
            "fast_path_differs": seen.fast_path_differs,
            "made_float32": sorted(_other_floats(dtypes)),
            "sources": files,
        }
        return facts | {"sha256": self._sum(facts)}

    def _begin(self, stage: str) -> None:
        """For who waits: assay ends a capture whose stage takes longer than it may."""
        self._path(STAGE_FILE).write_text(stage)

    @contextlib.contextmanager
    def _stage_that_may_fail(self, stage: str) -> Iterator[None]:
        """Raises TimeoutError before assay ends all of it: the module can be run without."""

        def stop(*_: Any) -> None:
            raise TimeoutError(f"{stage} did not end within {self._o.timeout:g} s")

        self._begin(stage)
        before = signal.signal(signal.SIGALRM, stop)
        signal.setitimer(signal.ITIMER_REAL, 0.9 * self._o.timeout)
        try:
            yield
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, before)

    def _observe(
        self,
        module: nn.Module,
        arguments: list[examples.Argument],
        weights: dict[str, torch.Tensor],
    ) -> examples.Seen:
        seen = examples.observe(module, arguments)
        if not prepared.has_fast_path(module):
            return seen
        user_module.restore(module, weights)
        with prepared.own_code():
            own = examples.observe(module, arguments)
        differs = prepared.differ(seen.outputs, own.outputs)
        return dataclasses.replace(
            seen, macs=own.macs, not_counted=own.not_counted, fast_path_differs=differs
        )

    def _path(self, name: str) -> pathlib.Path:
        return self._o.into / name

    def _export(
        self,
        module: nn.Module,
        arguments: list[examples.Argument],
        seen: examples.Seen,
        weights: dict[str, torch.Tensor],
    ) -> dict[str, str]:
        """Writes program.json and model.onnx; why not, where not."""
        if seen.changed:
            why = (
                f"forward writes to its own '{seen.changed[0]}', so that an inference depends on "
                "those before it; only the module itself can be run"
            )
            return {"no_program": why, "no_onnx": why}
        args, kwargs = examples.call_of(arguments, {a.name: a.value for a in arguments})
        with prepared.own_code():
            return self._export_graph(module, arguments, seen, weights, args, kwargs)

    def _export_graph(
        self,
        module: nn.Module,
        arguments: list[examples.Argument],
        seen: examples.Seen,
        weights: dict[str, torch.Tensor],
        args: tuple[torch.Tensor, ...],
        kwargs: dict[str, torch.Tensor],
    ) -> dict[str, str]:
        try:
            with torch.no_grad(), self._stage_that_may_fail("torch.export"):
                captured = torch.export.export(module, args, kwargs)
        except Exception as e:  # what it cannot capture comes as any of a dozen kinds
            traceback.print_exc()
            place = sources.place_of(e)
            why = f"torch.export cannot capture it{f' at {place}' if place else ''}: "
            return dict.fromkeys(("no_program", "no_onnx"), why + sources.one_line(e))
        return {
            "no_program": self._write_program(captured, arguments, seen, weights),
            "no_onnx": self._write_onnx(captured, arguments, seen),
        }

    def _write_program(
        self,
        captured: torch.export.ExportedProgram,
        arguments: list[examples.Argument],
        seen: examples.Seen,
        weights: dict[str, torch.Tensor],
    ) -> str:
        try:
            program = exported.write_program(
                captured, self._name, arguments, seen.outputs, weights, WEIGHTS_FILE
            )
        except exported.NotExpressible as e:
            return f"what torch.export made of it is no list of ATen calls: {e}"
        _write(self._path(PROGRAM_FILE), program)
        return ""

    def _write_onnx(
        self,
        captured: torch.export.ExportedProgram,
        arguments: list[examples.Argument],
        seen: examples.Seen,
    ) -> str:
        """model.onnx, its weights beside it in model.onnx.data."""
        try:
            with torch.no_grad(), self._stage_that_may_fail("torch.onnx.export"):
                program = torch.onnx.export(
                    captured,
                    input_names=[a.name for a in arguments],
                    output_names=[name for name, _ in seen.outputs],
                    dynamo=True,
                    verbose=False,
                )
            assert program is not None
            program.save(self._path(GRAPH_FILE), external_data=True)
        except Exception as e:  # as above
            traceback.print_exc()
            cause: BaseException = e
            while cause.__cause__ is not None:
                cause = cause.__cause__
            self._path(GRAPH_FILE).unlink(missing_ok=True)
            return f"torch.onnx cannot write it: {sources.one_line(cause)}"
        return ""

    def _write_integers(
        self, arguments: list[examples.Argument], seen: examples.Seen
    ) -> dict[str, str]:
        """By input that is no float: the file with its values, [SETS, ...shape]."""
        files = {}
        for position, argument in enumerate(arguments):
            if not argument.value.is_floating_point():
                files[argument.name] = f"input_{position}.npy"
                sets = examples.integer_sets(
                    argument, seen.rows.get(argument.name), self._o.seed + position
                )
                numpy.save(self._path(files[argument.name]), sets.numpy())
        return files

    def _sum(self, facts: dict[str, Any]) -> str:
        """SHA-256 of all that decides what the model computes and how it is run."""
        sums = [hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()]
        written = [PROGRAM_FILE, WEIGHTS_FILE, GRAPH_FILE, f"{GRAPH_FILE}.data"]
        for name in [*written, *facts["given_inputs"].values()]:
            if self._path(name).exists():
                sums.append(f"{name} {sources.file_sha256(self._path(name))}")
        return hashlib.sha256("\n".join(sums).encode()).hexdigest()


def _other_floats(dtypes: set[torch.dtype]) -> list[str]:
    """Names of the floating-point types among them that are not float32."""
    return [str(d).removeprefix("torch.") for d in dtypes if d.is_floating_point and d != torch.float32]


def _described(name: str, value: torch.Tensor, **more: Any) -> dict[str, Any]:
    dtype = str(value.dtype).removeprefix("torch.")
    return {"name": name, "dtype": dtype, "shape": list(value.shape)} | more
