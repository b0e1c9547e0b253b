"""artifact.json: for what a folder was prepared, so that nothing else is run from it."""

import hashlib
import importlib.metadata
import json
import pathlib
import shutil
from typing import Any

from .protocol import EngineError, Job

_NAME = "artifact.json"


def torch_version() -> str:
    """As the C++ engine spells it: without the build's local part."""
    return importlib.metadata.version("torch").split("+")[0]


def code() -> str:
    """A digest of this engine's sources."""
    digest = hashlib.sha256()
    for path in sorted(pathlib.Path(__file__).parent.glob("*.py")):
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


def empty_folder(job: Job, name: str) -> pathlib.Path:
    """A folder in the artifact, without what an earlier prepare may have left there."""
    folder = pathlib.Path(job.artifact) / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


def write_facts(job: Job, **more: Any) -> None:
    facts = {"torch": torch_version(), "threads": job.threads} | more
    (pathlib.Path(job.artifact) / _NAME).write_text(json.dumps(facts, indent=2) + "\n")


def read_facts(job: Job) -> dict[str, Any]:
    """Raises EngineError when the folder was prepared for something else than `job`."""
    path = pathlib.Path(job.artifact) / _NAME
    try:
        facts = json.loads(path.read_text())
    except (OSError, ValueError) as e:
        raise EngineError("failed", f"{path}: {e}", "prepare it again") from e
    if facts.get("threads") != job.threads or facts.get("torch") != torch_version():
        raise EngineError(
            "failed",
            f"{job.artifact} was compiled by PyTorch {facts.get('torch')} for "
            f"{facts.get('threads')} threads; here PyTorch {torch_version()} was asked to run "
            f"{job.threads}",
            "prepare it again with the same settings",
        )
    return facts
