"""ONNX graphs other than the model's own, for the engines that run ONNX: artifact/model.onnx.

capture dynamo_onnx writes the module tree with torch.onnx; static_int8 and dynamic_int8 quantise the
model's graph with ONNX Runtime's quantiser, after its own preparation (batch norm folded).
"""

from __future__ import annotations

import contextlib
import logging
import os
import pathlib
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from typing import Any

from . import calibration
from .artifact import write_facts
from .instructions import multiplies_int8
from .protocol import Doubt, EngineError, Job
from .refusal import needs_package, refused_by

_FILE = "model.onnx"  # in the artifact; the engines look for it there
_MOST_BYTES = 2**31 - 1  # of a graph with its weights in one file
# Between products in int8 these stay in int8, too, where the network has no layer norm: sums of a
# transformer have outliers (ViT-B/16: error 0.11 with them, 0.05 without; ResNet-18 0.02 either way).
_STATIC = ["Conv", "MatMul", "Gemm"]
_BETWEEN = ["Add", "MaxPool", "AveragePool", "GlobalAveragePool", "Concat", "Clip", "Relu", "Resize"]
_DYNAMIC = ["Conv", "MatMul", "Gemm", "Attention", "LSTM"]
_METHODS = {"minmax": "MinMax", "percentile": "Percentile", "entropy": "Entropy"}
_BINS = 1024  # of the histograms by entropy, which are rounded to 128 levels
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
    from onnxruntime.quantization import CalibrationMethod, QuantFormat, QuantType, quantize_static

    method = job.recipe.calibration
    note = calibration.range_note(method)
    narrow = not multiplies_int8()
    nodes = onnx.load(folded, load_external_data=False).graph.node
    transformer = any(node.op_type == "LayerNormalization" for node in nodes)
    kinds = _STATIC if transformer else _STATIC + _BETWEEN
    with refused_by("ONNX Runtime's quantiser"):
        ranges = f"{folded}.ranges.json"
        _write_ranges(job, folded, kinds, ranges)
        quantize_static(
            folded,
            os.path.join(job.artifact, _FILE),
            calibration_cache_path=ranges,
            calibrate_method=CalibrationMethod[_METHODS[method]],
            quant_format=QuantFormat.QDQ,
            op_types_to_quantize=kinds,
            per_channel=True,
            reduce_range=narrow,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            extra_options={"OpTypesToExcludeOutputQuantization": ["MatMul", "Gemm"]},
        )
    return [note, *_narrow_note(narrow)]


def _write_ranges(job: Job, folded: str, kinds: list[str], path: str) -> None:
    """The ranges of activations, in the file that quantize_static takes.

    It would calibrate by itself, but then hold the activations of all samples at once; and by entropy
    with as many bins as levels, which leaves nothing to choose.
    """
    from onnxruntime.quantization import CalibrationMethod, create_calibrator
    from onnxruntime.quantization.calibrate import save_tensors_data

    method = job.recipe.calibration
    options = {"symmetric": False} | ({"num_bins": _BINS} if method == "entropy" else {})
    with contextlib.redirect_stdout(sys.stderr):
        calibrator = create_calibrator(
            pathlib.Path(folded),
            kinds,
            augmented_model_path=f"{folded}.augmented.onnx",
            calibrate_method=CalibrationMethod[_METHODS[method]],
            extra_options=options,
        )
        for sample in _calibration_sets(job):
            calibrator.collect_data(_One(sample))
        save_tensors_data(calibrator.compute_data(), path)


class _One:
    """A reader of one sample: onnxruntime.quantization.CalibrationDataReader."""

    def __init__(self, sample: dict[str, Any]) -> None:
        self._left = [sample]

    def get_next(self) -> Any:
        return self._left.pop() if self._left else None


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
