"""The C++ extension that quanto unpacks 4 and 2 bits with, built once in a folder of assay's.

It is built below TORCH_EXTENSIONS_DIR, which may outlive this process, under a lock of the kernel's;
its library is copied into the artifact, where load finds it without a compiler.
"""

from __future__ import annotations

import contextlib
import fcntl
import importlib.metadata
import importlib.util
import os
import pathlib
import shutil
import sys
from collections.abc import Iterator
from typing import Any

from .artifact import empty_folder
from .protocol import EngineError, Job
from .refusal import refused_by

_NAME = "quanto_cpp"
_FOLDER = "extension"


def build(job: Job) -> list[str]:
    """Leaves the library below the artifact; about two minutes the first time."""
    shared = os.environ.get("TORCH_EXTENSIONS_DIR")
    place = pathlib.Path(shared or job.artifact) / f"{_NAME}-{_version()}"
    place.mkdir(parents=True, exist_ok=True)
    library = place / f"{_NAME}.so"
    notes = []
    with _held(place.with_name(place.name + ".lock")):
        # Whoever made PyTorch's lock has ended: while it built, it held the kernel's lock.
        (place / "lock").unlink(missing_ok=True)
        if not (place / "done").exists():
            print("building quanto's C++ extension, which takes about two minutes", file=sys.stderr)
            _build_in(place)
            (place / "done").touch()
            notes.append("quanto's C++ extension was built first, which takes about two minutes")
        shutil.copy(library, empty_folder(job, _FOLDER) / library.name)
    return notes


def load(job: Job) -> None:
    path = pathlib.Path(job.artifact) / _FOLDER / f"{_NAME}.so"
    spec = importlib.util.spec_from_file_location(_NAME, path)
    if spec is None or spec.loader is None or not path.exists():
        raise EngineError("failed", f"no extension of quanto's at {path}", "prepare it again")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    _extension()._lib = module


def _version() -> str:
    names = ("optimum-quanto", "torch")
    return "-".join(importlib.metadata.version(name) for name in names)


def _build_in(place: pathlib.Path) -> None:
    extension = _extension()
    extension.build_directory = str(place)
    path = os.environ.get("PATH", "")
    os.environ["PATH"] = os.pathsep.join([os.path.dirname(sys.executable), path])  # ninja
    with refused_by("quanto's C++ extension", "it needs g++ and ninja"):
        _ = extension.lib
    os.environ["PATH"] = path


def _extension() -> Any:
    import optimum.quanto.library.extensions.cpp  # noqa: F401  # registers it
    from optimum.quanto.library.extensions import get_extension

    return get_extension(_NAME)


@contextlib.contextmanager
def _held(path: pathlib.Path) -> Iterator[None]:
    """A lock that ends with its holder."""
    with path.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
