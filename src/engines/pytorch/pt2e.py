"""Static int8 of an exported graph (PT2E): annotated by a quantiser, calibrated, converted.

pt2e_float leaves dequantise, float operator, quantise; pt2e_integer has torchao rewrite what it can
into integer arithmetic; x86_int8 is annotated for Inductor, which makes int8 kernels of it.
"""

from __future__ import annotations

import dataclasses
import math
from typing import TYPE_CHECKING, Any

import torch
from torch import fx

from . import calibration, shares, static_export
from .model import LoadedModel
from .instructions import multiplies_int8
from .protocol import Job
from .refusal import needs_package, refused_by

if TYPE_CHECKING:
    from torchao.quantization.pt2e.quantizer import Quantizer

_MATRIX_OPS = (
    torch.ops.aten.conv1d.default,
    torch.ops.aten.conv2d.default,
    torch.ops.aten.conv3d.default,
    torch.ops.aten.convolution.default,
    torch.ops.aten.linear.default,
)


def quantise(job: Job, model: LoadedModel) -> tuple[fx.GraphModule, list[str]]:
    """The converted graph and what is to be known of it."""
    kind = job.recipe.quantisation
    with needs_package("torchao"):
        from torchao.quantization.pt2e.quantize_pt2e import convert_pt2e, prepare_pt2e

        quantiser, notes = _quantiser(kind, job.recipe.calibration)
    with torch.no_grad(), refused_by("torchao's PT2E"):
        exported = static_export.capture(model.module, model)
        prepared = prepare_pt2e(exported.module(), quantiser)
        for args, kwargs in calibration.samples(model):
            prepared(*args, **kwargs)
        converted = convert_pt2e(prepared, use_reference_representation=kind == "pt2e_integer")
    return converted, [calibration.torch_range_note(job.recipe.calibration), *notes]


def share_note(job: Job, program: torch.export.ExportedProgram) -> str:
    """What was quantised; a Doubt when it is nothing."""
    counted: dict[str, int] = {}
    quantised = []
    for node in program.graph.nodes:
        operands = _operands(node)
        if operands is None:
            continue
        counted[node.name] = _multiply_adds(node, operands[1])
        if node.target is torch.ops.higher_order.out_dtype or all(map(_is_dequantised, operands)):
            quantised.append(node.name)
    if job.recipe.quantisation != "pt2e_integer":
        return shares.note("int8 weights and activations", counted, quantised)
    if quantised:
        return shares.note("integer arithmetic", counted, quantised)
    return "integer arithmetic: torchao rewrote no convolution or linear layer, only what is between"


def _quantiser(kind: str, method: str) -> tuple[Quantizer, list[str]]:
    if kind == "x86_int8":
        return _x86_quantiser(method)
    # torchao ships the XNNPACK quantiser, which has int8 activations, with its tests.
    from torchao.testing.pt2e import _xnnpack_quantizer as xnnpack

    # The integer patterns that torchao knows have one scale for all of a weight.
    per_channel = kind == "pt2e_float"
    config = xnnpack.get_symmetric_quantization_config(is_per_channel=per_channel)
    scales = "a scale per channel" if per_channel else "one scale for each weight"
    quantiser = xnnpack.XNNPACKQuantizer().set_global(_observed_by(config, method))
    return quantiser, [f"XNNPACK's quantiser, {scales}"]


def _x86_quantiser(method: str) -> tuple[Quantizer, list[str]]:
    from torchao.quantization.pt2e.quantizer import x86_inductor_quantizer as x86

    vnni = multiplies_int8()
    config = x86.get_default_x86_inductor_quantization_config(reduce_range=not vnni)
    notes = [] if vnni else ["activations have 7 bits: without VNNI sums of u8 x s8 saturate"]
    return x86.X86InductorQuantizer().set_global(_observed_by(config, method)), notes


def _observed_by(config: Any, method: str) -> Any:
    """The same with the ranges of activations made by this method."""
    from torchao.quantization import pt2e as observers

    kind = calibration.observer(observers, method)

    def of(spec: Any) -> Any:
        observer = kind.with_args(eps=2**-12)  # eps as in torchao's configurations
        return spec and dataclasses.replace(spec, observer_or_fake_quant_ctr=observer)

    return dataclasses.replace(
        config,
        input_activation=of(config.input_activation),
        output_activation=of(config.output_activation),
    )


def _operands(node: fx.Node) -> tuple[Any, Any] | None:
    """Activation and weight of a convolution or linear layer, in floats or in integers."""
    if node.op != "call_function":
        return None
    if node.target is torch.ops.higher_order.out_dtype and node.args[0] in _MATRIX_OPS:
        return node.args[2], node.args[3]
    return (node.args[0], node.args[1]) if node.target in _MATRIX_OPS else None


def _is_dequantised(node: Any) -> bool:
    return isinstance(node, fx.Node) and "dequantize" in str(node.target)


def _multiply_adds(node: fx.Node, weight: fx.Node) -> int:
    of_one_channel = math.prod(weight.meta["val"].shape[1:])
    return node.meta["val"].numel() * of_one_channel
