"""--weights for a Python model: a checkpoint put into it, strictly by name and shape."""

from __future__ import annotations

import json
import pathlib

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import nn

from .user_module import ModuleError

_MOST_NAMES = 5  # of each kind in a message


def put_in(module: nn.Module, file: pathlib.Path, name: str) -> None:
    """Raises ModuleError listing what is missing, unexpected and of another shape."""
    given = _read(file)
    own = module.state_dict(keep_vars=True)
    shared: dict[int, list[str]] = {}
    for key, tensor in own.items():
        shared.setdefault(id(tensor), []).append(key)
    missing = [
        keys[0]
        for keys in shared.values()
        if not any(key in given for key in keys) and not keys[0].endswith("num_batches_tracked")
    ]
    unexpected = [key for key in given if key not in own]
    both = [key for key in given if key in own]
    shapes = [
        f"{key} is {_shape(given[key])}, not {_shape(own[key])}"
        for key in both
        if given[key].shape != own[key].shape
    ]
    kinds = {"missing": missing, "unexpected": unexpected, "of another shape": shapes}
    wrong = [f"{kind}: {_some(keys)}" for kind, keys in kinds.items() if keys]
    if wrong:
        raise ModuleError(
            f"{file} does not fit '{name}': {'; '.join(wrong)}",
            "its names must be those of the module's state_dict()",
        )
    for key in both:
        own[key].data.copy_(given[key])


def _read(file: pathlib.Path) -> dict[str, torch.Tensor]:
    try:
        if not file.name.endswith(".index.json"):
            return load_file(file)
        shards = set(json.loads(file.read_text())["weight_map"].values())
        return {k: v for shard in sorted(shards) for k, v in load_file(file.parent / shard).items()}
    except (OSError, SafetensorError, ValueError, KeyError) as e:
        raise ModuleError(f"{file}: {e}", "a checkpoint is a .safetensors file") from e


def _shape(tensor: torch.Tensor) -> str:
    return "x".join(map(str, tensor.shape)) or "scalar"


def _some(names: list[str]) -> str:
    more = f" and {len(names) - _MOST_NAMES} more" if len(names) > _MOST_NAMES else ""
    return ", ".join(names[:_MOST_NAMES]) + more
