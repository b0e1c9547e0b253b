"""The body of assay-torch-graph: a module as torch.export or dynamo sees it.

Usage: assay-torch-graph fx|dynamo FILE FOLDER FD

FILE is an ATen program's JSON, whose module tree is rebuilt, or the module.json of a module of the
user's (user_module.py); FOLDER holds the weights. Writes JSON (assay.torch_graph/1, or
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
    form, file, folder, fd = arguments[1:]
    try:
        document = show(form, Path(file), Path(folder))
    except Exception as e:  # PyTorch may raise anything; its words are the answer
        traceback.print_exc()
        document = {"error": {"message": _first_line(e)}}
    with os.fdopen(int(fd), "w") as out:
        json.dump(document, out)
    return 0


def show(form: str, path: Path, folder: Path) -> dict[str, Any]:
    """form  "fx" or "dynamo" """
    from . import program as aten
    from . import user_module
    from .module_tree import build_module
    from .torch_graph import explained, exported

    tool = {"fx": exported, "dynamo": explained}[form]
    if path.name == user_module.MODULE_FILE:
        module, facts = user_module.load(folder)
        arguments = facts["arguments"]
        inputs = tuple(_zeros(a["shape"], a["dtype"]) for a in arguments if not a["keyword"])
        named = {a["name"]: _zeros(a["shape"], a["dtype"]) for a in arguments if a["keyword"]}
        return tool(module, inputs, facts["name"], named)
    program = aten.load(path)
    module = build_module(program, aten.load_weights(program, folder))
    inputs = tuple(_zeros(value.shape, value.dtype) for value in program.inputs)
    return tool(module, inputs, program.name)


def _zeros(shape: Any, dtype: Any) -> Any:
    """Valid as indices too. Which values they are changes nothing in a graph."""
    import torch

    return torch.zeros(shape, dtype=getattr(torch, dtype) if isinstance(dtype, str) else dtype)


def _first_line(error: Exception) -> str:
    text = str(error).strip().splitlines()
    return f"{type(error).__name__}: {text[0] if text else ''}"
