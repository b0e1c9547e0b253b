"""ONNX graphs other than the model's own, for the engines that run ONNX: artifact/model.onnx.

capture dynamo_onnx writes the module tree with torch.onnx; static_int8 and dynamic_int8 quantise the
model's graph with ONNX Runtime's quantiser, after its own preparation (batch norm folded).
"""

from __future__ import annotations

import logging
import os
import tempfile
from collections import Counter
from collections.abc import Iterator
from typing import Any

from . import calibration
from .artifact import write_facts
from .instructions import multiplies_int8
from .protocol import Doubt, EngineError, Job
from .refusal import needs_package, refused_by

QUANTISATIONS = ("static_int8", "dynamic_int8")

_FILE = "model.onnx"  # in the artifact; the engines look for it there
_MOST_BYTES = 2**31 - 1  # of a graph with its weights in one file
# Between products in int8 these stay in int8, too, where the network has no layer norm: sums of a
# transformer have outliers (ViT-B/16: error 0.11 with them, 0.05 without; ResNet-18 0.02 either way).
_STATIC = ["Conv", "MatMul", "Gemm"]
_BETWEEN = ["Add", "MaxPool", "AveragePool", "GlobalAveragePool", "Concat", "Clip", "Relu", "Resize"]
_DYNAMIC = ["Conv", "MatMul", "Gemm", "Attention", "LSTM"]
_PRODUCTS = {"Conv", "FusedConv", "NchwcConv", "MatMul", "FusedMatMul", "Gemm", "FusedGemm"}
_INT8_PRODUCTS = {"QLinearConv", "QLinearMatMul", "QGemm", "ConvInteger", "MatMulInteger",
                  "MatMulIntegerToFloat", "DynamicQuantizeMatMul"}  # fmt: skip


def prepare(job: Job) -> list[str]:
    if job.recipe.quantisation:
        notes = _quantise(job)
    else:
        notes = _write_by_dynamo(job)
    write_facts(job)
    return notes


def _write_by_dynamo(job: Job) -> list[str]:
    import torch

    from . import program as aten
    from .model import configure, load_model

    if job.module:
        raise EngineError(
            "unsupported", "torch.onnx has written the module already", "ONNX_CPU runs that file"
        )
    configure(job.threads)
    model = load_model(job)
    names = aten.load(job.program)
    with torch.no_grad(), refused_by("torch.onnx.export"):
        torch.onnx.export(
            model.module,
            model.input_sets[0],
            os.path.join(job.artifact, _FILE),
            dynamo=True,
            external_data=True,
            input_names=[value.name for value in names.inputs],
            output_names=[value.name for value in names.outputs],
            verbose=False,
        )
    return []


def _quantise(job: Job) -> list[str]:
    logging.getLogger().setLevel(logging.ERROR)  # a line for each weight of one axis
    with needs_package("onnxruntime.quantization"):
        import onnx
        from onnxruntime.quantization.shape_inference import quant_pre_process
    model = onnx.load(job.onnx)
    if model.ByteSize() > _MOST_BYTES:
        raise EngineError("unsupported", "ONNX Runtime's quantiser takes models up to 2 GB")
    with tempfile.TemporaryDirectory(dir=job.artifact) as work:
        folded = os.path.join(work, "folded.onnx")
        with refused_by("ONNX Runtime's quantiser"):
            quant_pre_process(model, folded, skip_symbolic_shape=True)
        del model
        static = job.recipe.quantisation == "static_int8"
        notes = _static(job, folded) if static else _dynamic(job, folded)
    if job.recipe.compiler == "onnxruntime":
        notes.append(_products_note(job))
    return notes


def _static(job: Job, folded: str) -> list[str]:
    import onnx
    from onnxruntime.quantization import (
        CalibrationDataReader,
        QuantFormat,
        QuantType,
        quantize_static,
    )

    class Reader(CalibrationDataReader):
        def __init__(self) -> None:
            self._sets = _calibration_sets(job)

        def get_next(self) -> Any:
            return next(self._sets, None)

    narrow = not multiplies_int8()
    nodes = onnx.load(folded, load_external_data=False).graph.node
    transformer = any(node.op_type == "LayerNormalization" for node in nodes)
    with refused_by("ONNX Runtime's quantiser"):
        quantize_static(
            folded,
            os.path.join(job.artifact, _FILE),
            Reader(),
            quant_format=QuantFormat.QDQ,
            op_types_to_quantize=_STATIC if transformer else _STATIC + _BETWEEN,
            per_channel=True,
            reduce_range=narrow,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            extra_options={"OpTypesToExcludeOutputQuantization": ["MatMul", "Gemm"]},
        )
    return [calibration.range_note(job.input_sets), *_narrow_note(narrow)]


def _dynamic(job: Job, folded: str) -> list[str]:
    from onnxruntime.quantization import QuantType, quantize_dynamic

    narrow = not multiplies_int8()
    with refused_by("ONNX Runtime's quantiser"):
        quantize_dynamic(
            folded,
            os.path.join(job.artifact, _FILE),
            op_types_to_quantize=_DYNAMIC,
            per_channel=True,
            reduce_range=narrow,
            weight_type=QuantType.QInt8,
        )
    return _narrow_note(narrow)


def _calibration_sets(job: Job) -> Iterator[dict[str, Any]]:
    from safetensors.numpy import load_file

    tensors = load_file(job.inputs)
    for chosen in range(job.input_sets):
        suffix = f".{chosen}"
        yield {name.removesuffix(suffix): x for name, x in tensors.items() if name.endswith(suffix)}


def _narrow_note(narrow: bool) -> list[str]:
    return ["weights have 7 bits: sums of u8 x s8 saturate on this CPU, which has no VNNI"] * narrow


def _products_note(job: Job) -> str:
    """What ONNX Runtime makes of the graph; a Doubt when no product of it is in int8."""
    import onnx
    import onnxruntime

    with tempfile.TemporaryDirectory(dir=job.artifact) as work:
        path = os.path.join(work, "optimised.onnx")
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 3
        options.optimized_model_filepath = path
        onnxruntime.InferenceSession(os.path.join(job.artifact, _FILE), options)
        graph = onnx.load(path, load_external_data=False).graph
    kinds = Counter(node.op_type for node in graph.node)
    int8 = sum(kinds[kind] for kind in _INT8_PRODUCTS)
    if int8 == 0:
        return Doubt("ONNX Runtime runs no product of the graph in int8")
    every = int8 + sum(kinds[kind] for kind in _PRODUCTS)
    return f"int8 kernels: {int8} of {every} convolutions and matrix products"
