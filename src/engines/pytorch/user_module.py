"""A module of the user's: found by its target, made, given the weights that were captured with it.

Needs torch and safetensors only, so that --keep can copy this file. What it reads is module.json
(schema assay.module/1), written by capture.py beside the weights:
  target     "/folder/net.py:build" or "package.net:build"
  folder     put before sys.path: where the file lies, or where assay was called
  seed       of PyTorch's generator while the callable runs
  arguments  [{"name", "keyword", "dtype", "shape"}], in the order of the model's inputs
  outputs    [{"name", "dtype", "shape"}], flattened as torch.export does
"""

from __future__ import annotations

import collections.abc
import dataclasses
import importlib
import importlib.util
import inspect
import itertools
import json
import pathlib
import re
import sys
import types
from collections.abc import Iterator
from typing import Any

import torch
from torch import nn
from torch.utils import _pytree as pytree

SCHEMA = "assay.module/1"
MODULE_FILE, WEIGHTS_FILE = "module.json", "model.safetensors"


class ModuleError(Exception):
    """What is wrong with a target, one line, and what to do about it."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message, self.hint = message, hint


def import_target(target: str, folder: str) -> tuple[types.ModuleType, Any]:
    """The Python module of a target and what its callable's name stands for in it.

    Raises ModuleError; what the import itself raises passes through.
    """
    del sys.argv[1:]  # the user's code sees no options of ours
    place, colon, name = target.rpartition(":")
    if not colon or not place or not name:
        raise ModuleError(
            f"'python:{target}' names no callable",
            "python:package.module:callable or python:path/to/file.py:callable",
        )
    if folder not in sys.path:
        sys.path.insert(0, folder)
    namespace = _import_file(place) if place.endswith(".py") else _import_name(place)
    found: Any = namespace
    for part in name.split("."):
        if not hasattr(found, part):
            raise ModuleError(f"{place} has no '{name}'", _nearest(namespace, name))
        found = getattr(found, part)
    return namespace, found


def _import_file(place: str) -> types.ModuleType:
    path = pathlib.Path(place)
    if not path.is_file():
        raise ModuleError(f"no file '{place}'", "python:path/to/file.py:callable")
    name = path.stem if path.stem not in sys.modules else f"users_{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def _import_name(place: str) -> types.ModuleType:
    try:
        return importlib.import_module(place)
    except ModuleNotFoundError as e:
        if e.name is None or not (place + ".").startswith(e.name + "."):
            raise  # the module is there, but not something that it imports
        raise ModuleError(
            f"no Python module '{e.name}' here",
            "call assay where it can be imported, or set PYTHONPATH to the folder that holds it",
        ) from e


def _nearest(namespace: types.ModuleType, name: str) -> str:
    import difflib

    own = [key for key in vars(namespace) if not key.startswith("_")]
    near = difflib.get_close_matches(name, own, 3)
    return f"did you mean {' or '.join(near)}?" if near else "it must be a name at its top level"


def make(found: Any, target: str, seed: int) -> nn.Module:
    """The module that a target stands for, for inference: eval, float32, on the CPU.

    Raises as `instance` does.
    """
    return for_inference(instance(found, target, seed))


def for_inference(module: nn.Module) -> nn.Module:
    """Floating-point tensors become float32; complex ones and integers stay as they are."""
    module = module.cpu()
    for _, tensor in named_tensors(module):
        if tensor.is_floating_point():
            tensor.data = tensor.data.float()
    try:
        module.eval()
    except NotImplementedError:  # what torch.export(...).module() gives has no modes
        pass
    return module.requires_grad_(False)


def instance(found: Any, target: str, seed: int) -> nn.Module:
    """The module that a target stands for, as it comes.

    Raises ModuleError for what gives no nn.Module; what the callable raises passes through.
    """
    module = found
    if not isinstance(found, nn.Module):
        _require_no_arguments(found, target)
        torch.manual_seed(seed)
        module = found()
    if not isinstance(module, nn.Module):
        raise ModuleError(
            f"'{target}' gives {type(module).__name__}, no torch.nn.Module",
            "name a module, its class, or a function that returns one",
        )
    return module


def _require_no_arguments(found: Any, target: str) -> None:
    if not callable(found):
        raise ModuleError(
            f"'{target}' is {type(found).__name__}, no torch.nn.Module",
            "name a module, its class, or a function that returns one",
        )
    try:
        parameters = inspect.signature(found).parameters.values()
    except (TypeError, ValueError):  # some built-in callables have no signature
        return
    needed = [
        p.name
        for p in parameters
        if p.default is p.empty and p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)
    ]
    if needed:
        raise ModuleError(
            f"'{target}' needs arguments: {', '.join(needed)}",
            "name a function without arguments that calls it",
        )


def named_tensors(module: nn.Module) -> Iterator[tuple[str, torch.Tensor]]:
    """Parameters and buffers, a shared one once, under its first name."""
    return itertools.chain(module.named_parameters(), module.named_buffers())


def restore(module: nn.Module, weights: dict[str, torch.Tensor]) -> None:
    """Gives a module the captured values, whatever its callable drew this time.

    Raises ModuleError when it has come out otherwise than it was captured.
    """
    for name, own in named_tensors(module):
        value = weights.get(name)
        if value is None or value.shape != own.shape:
            raise ModuleError(
                f"the module has '{name}' of shape {tuple(own.shape)}, which it had not when it "
                "was captured",
                "it must come out the same each time it is made",
            )
        own.data.copy_(value)


def load(folder: pathlib.Path) -> tuple[nn.Module, dict[str, Any]]:
    """The module captured in `folder`, and its module.json."""
    from safetensors.torch import load_file

    facts = json.loads((folder / MODULE_FILE).read_text())
    if facts["schema"] != SCHEMA:
        raise ModuleError(f"{folder / MODULE_FILE}: its schema is '{facts['schema']}'")
    _, found = import_target(facts["target"], facts["folder"])
    module = make(found, facts["target"], facts["seed"])
    restore(module, load_file(folder / WEIGHTS_FILE))
    return module, facts


def named_outputs(outputs: Any) -> list[tuple[str, torch.Tensor]]:
    """The tensors among a module's outputs, in torch.export's order, each with a name of its own.

    A single tensor is "output"; others are named by their keys, or "output_K" in a sequence.
    Raises ModuleError for a container that PyTorch cannot see into.
    """
    named: dict[str, torch.Tensor] = {}
    for path, leaf in pytree.tree_flatten_with_path(plain_containers(outputs))[0]:
        if isinstance(leaf, torch.Tensor):
            name = _output_name(path)
            while name in named:
                name += "_again"
            named[name] = leaf
        elif leaf is not None and not isinstance(leaf, (bool, int, float, str)):
            raise ModuleError(
                f"forward returns a {type(leaf).__name__}, which holds no tensors that can be seen",
                "return a tensor, or a tuple, list or dict of tensors",
            )
    if not named:
        raise ModuleError("forward returns no tensor", "return a tensor, or a tuple or dict of them")
    return list(named.items())


def plain_containers(outputs: Any) -> Any:
    """The same with tuples, lists and dicts only: Hugging Face's outputs are dicts with attributes,
    dataclasses have fields."""
    if isinstance(outputs, tuple) and not hasattr(outputs, "_fields"):
        return tuple(map(plain_containers, outputs))
    if isinstance(outputs, list):
        return list(map(plain_containers, outputs))
    if isinstance(outputs, collections.abc.Mapping):
        return {key: plain_containers(value) for key, value in outputs.items()}
    if dataclasses.is_dataclass(outputs) and not isinstance(outputs, type):
        return {f.name: plain_containers(getattr(outputs, f.name)) for f in dataclasses.fields(outputs)}
    return outputs


def _output_name(path: tuple[Any, ...]) -> str:
    parts = []
    for key in path:
        for attribute in ("idx", "key", "name"):
            if hasattr(key, attribute):
                parts.append(str(getattr(key, attribute)))
                break
    text = re.sub(r"\W", "_", "_".join(parts))
    return f"output_{text}" if text[:1].isdigit() else text or "output"
