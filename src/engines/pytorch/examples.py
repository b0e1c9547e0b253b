"""The inputs of a Python model: from --input-shape or from example_inputs() beside the callable."""

from __future__ import annotations

import dataclasses
import inspect
import types
from typing import Any

import torch
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode

from .multiply_adds import MultiplyAdds
from .user_module import ModuleError, named_outputs, named_tensors

SETS = 4  # kInputSets of src/campaign/inputs.h

_DTYPES = {
    torch.float32, torch.int8, torch.int16, torch.int32, torch.int64, torch.uint8, torch.bool,
}  # fmt: skip


@dataclasses.dataclass(frozen=True)
class Argument:
    """One tensor that forward takes: an input of the model."""

    name: str
    keyword: bool  # passed by name
    value: torch.Tensor


def arguments_of(
    module: nn.Module, namespace: types.ModuleType, shape: list[int], batch_size: int, seed: int
) -> list[Argument]:
    """In the order of forward's parameters.

    shape  of the one float32 input; [] for what example_inputs() of `namespace` gives
    Raises ModuleError when there is neither, or they do not fit forward.
    """
    if shape:
        generator = torch.Generator().manual_seed(seed)
        value = torch.rand(_with_batch(shape, batch_size), generator=generator) * 2 - 1
        return _positional(module, [value])
    examples = getattr(namespace, "example_inputs", None)
    if examples is None:
        raise ModuleError(
            "what the model takes is not known",
            "give --input-shape 1x3x224x224 (one float32 input), or write example_inputs() beside "
            "the callable",
        )
    torch.manual_seed(seed)
    given = examples() if callable(examples) else examples
    if isinstance(given, dict):
        arguments = _by_name(module, given)
    else:
        arguments = _positional(module, list(given) if isinstance(given, (tuple, list)) else [given])
    first = arguments[0].value
    if batch_size != 1 and (first.dim() == 0 or first.shape[0] != batch_size):
        raise ModuleError(
            f"--batch-size {batch_size} does not fit: example_inputs() gives '{arguments[0].name}' "
            f"of shape {'x'.join(map(str, first.shape)) or 'scalar'}",
            "change the batch there, or give --input-shape",
        )
    return arguments


def _with_batch(shape: list[int], batch_size: int) -> list[int]:
    if batch_size in (1, shape[0]):
        return shape
    if shape[0] != 1:
        raise ModuleError(
            f"--batch-size {batch_size} does not fit --input-shape {'x'.join(map(str, shape))}",
            "give the batch once: as the shape's first number, or with a 1 there",
        )
    return [batch_size, *shape[1:]]


def _parameters(module: nn.Module) -> list[inspect.Parameter]:
    return list(inspect.signature(module.forward).parameters.values())


def _positional(module: nn.Module, values: list[Any]) -> list[Argument]:
    names = []
    for parameter in _parameters(module):
        if parameter.kind is parameter.VAR_POSITIONAL:
            names += [f"{parameter.name}_{i}" for i in range(len(values) - len(names))]
        elif parameter.kind in (parameter.POSITIONAL_ONLY, parameter.POSITIONAL_OR_KEYWORD):
            names.append(parameter.name)
    if not values or len(values) > len(names):
        raise ModuleError(
            f"forward takes {', '.join(names) or 'nothing'}; {len(values)} inputs were given",
            "example_inputs() gives a tensor, or a tuple of tensors in forward's order",
        )
    return [Argument(n, False, _tensor(n, v)) for n, v in zip(names, values)]


def _by_name(module: nn.Module, values: dict[str, Any]) -> list[Argument]:
    parameters = _parameters(module)
    any_name = any(p.kind is p.VAR_KEYWORD for p in parameters)
    order = [p.name for p in parameters if p.kind not in (p.VAR_KEYWORD, p.VAR_POSITIONAL)]
    unknown = [name for name in values if name not in order]
    if not values or (unknown and not any_name):
        raise ModuleError(
            f"forward takes {', '.join(order) or 'nothing'}, not {', '.join(unknown) or 'nothing'}",
            "the keys of example_inputs() are forward's parameters",
        )
    names = [name for name in order if name in values] + unknown
    return [Argument(name, True, _tensor(name, values[name])) for name in names]


def _tensor(name: str, value: Any) -> torch.Tensor:
    if not isinstance(value, torch.Tensor):
        raise ModuleError(
            f"example_inputs() gives '{name}' a {type(value).__name__}, no tensor",
            "inputs are tensors; fix other arguments in a module around this one",
        )
    value = value.detach().cpu()
    value = value.float() if value.is_floating_point() else value
    if value.dtype not in _DTYPES:
        raise ModuleError(f"input '{name}' is of {value.dtype}, which assay does not know")
    return value.contiguous().clone()


@dataclasses.dataclass(frozen=True)
class Seen:
    """What one inference in eager PyTorch showed."""

    outputs: list[tuple[str, torch.Tensor]]
    macs: int  # multiply-adds of convolutions and matrix products
    not_counted: list[str]  # operators that macs leaves out
    rows: dict[str, int]  # by input: of the smallest table that its integers index
    changed: list[str]  # parameters and buffers that it wrote to
    fast_path_differs: bool = False  # PyTorch's for attention gives other outputs than its own code


def observe(module: nn.Module, arguments: list[Argument]) -> Seen:
    """Runs the module once. Raises ModuleError when it writes to an input; else what it raises."""
    before = {name: tensor.clone() for name, tensor in named_tensors(module)}
    values = {a.name: a.value.clone() for a in arguments}
    args, kwargs = call_of(arguments, values)
    tables = _Tables(values)
    counter = MultiplyAdds()
    with torch.no_grad(), counter, tables:
        outputs = module(*args, **kwargs)
    for argument in arguments:
        if not torch.equal(values[argument.name], argument.value):
            raise ModuleError(
                f"forward writes to its input '{argument.name}' in place, so that no two "
                "inferences would get the same",
                "clone it first",
            )
    for name, tensor in named_outputs(outputs):
        if tensor.is_complex() or tensor.is_quantized:
            raise ModuleError(
                f"forward returns {str(tensor.dtype).removeprefix('torch.')} numbers as '{name}', "
                "which no other runtime has",
                "return torch.view_as_real of complex numbers, dequantize() of quantised ones",
            )
    taken = {argument.name for argument in arguments}
    changed = [n for n, tensor in named_tensors(module) if not _same(before[n], tensor)]
    return Seen(
        outputs=[
            (f"{name}_out" if name in taken else name, tensor.clone())
            for name, tensor in named_outputs(outputs)
        ],
        macs=counter.total,
        not_counted=counter.left_out,
        rows=tables.rows,
        changed=changed,
    )


def _same(a: torch.Tensor, b: torch.Tensor) -> bool:
    if a.is_floating_point():
        return torch.equal(a.nan_to_num(), b.nan_to_num())  # NaN is unequal to itself
    return torch.equal(a, b)


def call_of(
    arguments: list[Argument], values: dict[str, torch.Tensor]
) -> tuple[tuple[torch.Tensor, ...], dict[str, torch.Tensor]]:
    """`values`, by input, as forward takes them."""
    return (
        tuple(values[a.name] for a in arguments if not a.keyword),
        {a.name: values[a.name] for a in arguments if a.keyword},
    )


class _Tables(TorchDispatchMode):
    """Notices embeddings whose indices are an input, or a view of one."""

    def __init__(self, values: dict[str, torch.Tensor]) -> None:
        super().__init__()
        self.rows: dict[str, int] = {}
        self._names = {
            v.untyped_storage().data_ptr(): name
            for name, v in values.items()
            if not v.is_floating_point()
        }

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if func is torch.ops.aten.embedding.default:
            self._notice(args[0], args[1])
        return func(*args, **(kwargs or {}))


    def _notice(self, table: torch.Tensor, indices: torch.Tensor) -> None:
        try:
            name = self._names.get(indices.untyped_storage().data_ptr())
        except (RuntimeError, NotImplementedError):  # of a tensor without storage
            return
        if name is not None:
            self.rows[name] = min(table.shape[0], self.rows.get(name, table.shape[0]))


def integer_sets(argument: Argument, rows: int | None, seed: int) -> torch.Tensor:
    """Values of an input that is no float for all sets, [SETS, ...shape]: drawn within the table
    that it indexes, else the example's own in each set."""
    if rows is None:
        return argument.value.expand(SETS, *argument.value.shape).clone()
    generator = torch.Generator().manual_seed(seed)
    drawn = torch.randint(rows, (SETS, *argument.value.shape), generator=generator)
    return drawn.to(argument.value.dtype)
