"""The body of assay-torch-graph: a program's module tree, as torch.export or dynamo sees it.

Usage: assay-torch-graph fx|dynamo PROGRAM FOLDER FD

PROGRAM is an ATen program's JSON, FOLDER holds its weights. Writes JSON (assay.torch_graph/1, or
{"error": {"kind", "message"}}) to the descriptor FD: PyTorch may print on the others.
"""

from __future__ import annotations

import json
import os
import sys
import traceback
from pathlib import Path
from typing import Any


def main(arguments: list[str]) -> int:
    form, program, folder, fd = arguments[1:]
    try:
        document = show(form, Path(program), Path(folder))
    except Exception as e:  # PyTorch may raise anything; its words are the answer
        traceback.print_exc()
        document = {"error": {"message": _first_line(e)}}
    with os.fdopen(int(fd), "w") as out:
        json.dump(document, out)
    return 0


def show(form: str, path: Path, folder: Path) -> dict[str, Any]:
    """form  "fx" or "dynamo" """
    from . import program as aten
    from .module_tree import build_module
    from .torch_graph import explained, exported

    program = aten.load(path)
    module = build_module(program, aten.load_weights(program, folder))
    inputs = tuple(_example(value) for value in program.inputs)
    tool = {"fx": exported, "dynamo": explained}[form]
    return tool(module, inputs, program.name)


def _example(value: Any) -> Any:
    """Zeros: valid as indices too. Which values they are changes nothing in a graph."""
    import torch

    return torch.zeros(value.shape, dtype=value.dtype)


def _first_line(error: Exception) -> str:
    text = str(error).strip().splitlines()
    return f"{type(error).__name__}: {text[0] if text else ''}"
