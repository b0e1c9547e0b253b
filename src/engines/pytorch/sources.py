"""Which files outside the environment a Python model depends on, and where in them an error is."""

from __future__ import annotations

import hashlib
import linecache
import pathlib
import sys
import sysconfig
import traceback

_PATHS = sysconfig.get_paths()
_ENVIRONMENT = tuple(
    str(pathlib.Path(p).resolve()) + "/"
    for p in {sys.prefix, _PATHS["stdlib"], _PATHS["platstdlib"], "/proc", "/sys", "/dev"}
)
_OWN = str(pathlib.Path(__file__).resolve().parent) + "/"


def outside(path: str) -> bool:
    """Whether a file belongs neither to the environment's packages nor to the kernel."""
    return path.startswith("/") and not path.startswith(_ENVIRONMENT)


class Watch:
    """Writes down which files are opened for reading; one for the life of the process."""

    def __init__(self) -> None:
        self._opened: set[str] = set()
        self._on = True
        sys.addaudithook(self._hear)

    def _hear(self, event: str, arguments: tuple[object, ...]) -> None:
        if event == "open" and self._on and isinstance(arguments[0], str):
            mode = arguments[1]
            if isinstance(mode, str) and mode.startswith("r") and "+" not in mode:
                self._opened.add(arguments[0])

    def stop(self) -> dict[str, str]:
        """The SHA-256 of each file that was read, or imported as a module, so far."""
        self._on = False
        imported = [getattr(m, "__file__", None) for m in list(sys.modules.values())]
        paths = {str(pathlib.Path(p).resolve()) for p in [*self._opened, *imported] if p}
        sums = {}
        for path in sorted(paths):
            if outside(path) and not path.endswith(".pyc") and pathlib.Path(path).is_file():
                sums[path] = file_sha256(path)
        return sums


def file_sha256(path: str | pathlib.Path) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def place_of(error: BaseException) -> str:
    """Where in the user's own code an error arose: "net.py:12, 'if x.sum() > 0:'"; "" if not."""
    place = ""
    seen: BaseException | None = error
    while seen is not None:
        for frame in traceback.extract_tb(seen.__traceback__):
            path = str(pathlib.Path(frame.filename).resolve())
            if pathlib.Path(path).is_file() and outside(path) and not path.startswith(_OWN):
                line = linecache.getline(path, frame.lineno or 0).strip()
                place = f"{pathlib.Path(path).name}:{frame.lineno}, '{line[:80]}'"
        seen = seen.__cause__ or seen.__context__ if not place else None
    return place


def one_line(error: BaseException, most: int = 300) -> str:
    """The kind of an error and the first line that it says, shortened."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()] or [""]
    text = " ".join(lines[:2]) if lines[0].endswith(":") else lines[0]
    text = f"{type(error).__name__}: {text}" if text else type(error).__name__
    return text if len(text) <= most else text[: most - 3] + "..."
