"""What a technique says against a model: the reason why it is unsupported, not a failure of ours."""

import contextlib
from collections.abc import Iterator

from .protocol import EngineError
from .serve import error_of


@contextlib.contextmanager
def refused_by(who: str, hint: str = "") -> Iterator[None]:
    """Turns what is raised inside into EngineError("unsupported"), in the technique's own words.

    Memory that is not there and files that cannot be written stay what they are.
    """
    try:
        yield
    except (EngineError, OSError):
        raise
    except Exception as e:
        error = error_of(e)
        if error["kind"] == "out_of_memory":
            raise
        raise EngineError("unsupported", f"{who}: {error['message']}", hint) from e


@contextlib.contextmanager
def needs_package(package: str) -> Iterator[None]:
    """Around the imports of a package that may not be installed."""
    try:
        yield
    except ImportError as e:
        raise EngineError(
            "unsupported",
            f"{package} cannot be imported: {e}",
            "remove venv.done in assay's environment and run tools/setup.sh",
        ) from e
