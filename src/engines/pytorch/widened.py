"""An ONNX file computed in float64 as far as its operators have it: what others are judged by where there is no
lowering. By ONNX Runtime without optimisations where it has all kernels, else by ONNX's reference evaluator."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import onnx
import torch
from onnx import AttributeProto, GraphProto, ModelProto, NodeProto, TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator
from onnx.reference.op_run import OpRun
from safetensors.torch import load_file

from .model import LoadedModel
from .protocol import EngineError, Job

RUNTIME, EVALUATOR = "onnxruntime_wide", "onnx_reference"  # the recipes' compilers

_FLOATS = {TensorProto.FLOAT, TensorProto.FLOAT16, TensorProto.BFLOAT16}
_DOUBLE = "tensor(double)"


def load(job: Job) -> LoadedModel:
    """Raises EngineError where an operator is of no domain of ONNX, or the runtime lacks a kernel."""
    model = widen(onnx.load(job.onnx))
    run = _in_runtime(model, job) if job.recipe.compiler == RUNTIME else _in_evaluator(model)
    inputs = load_file(job.inputs)
    names = [(i.name, i.type.tensor_type.elem_type == TensorProto.STRING) for i in _inputs_of(model.graph)]

    def feeds(chosen: int) -> dict[str, np.ndarray]:
        return {n: _given(inputs[f"{n}.{chosen}"], text) for n, text in names}

    class Widened(torch.nn.Module):
        def forward(self, chosen: int) -> list[Any]:
            return run(feeds(chosen))

    outputs = [o.name for o in model.graph.output]
    return LoadedModel(
        module=Widened(),
        input_sets=[(chosen,) for chosen in range(job.input_sets)],  # type: ignore[misc]
        keyword_sets=[{} for _ in range(job.input_sets)],
        named_outputs=lambda values: [pair for n, v in zip(outputs, values, strict=True) for pair in tensors_of(n, v)],
    )


def _inputs_of(graph: GraphProto) -> list[onnx.ValueInfoProto]:
    defaults = {t.name for t in graph.initializer}
    return [i for i in graph.input if i.name not in defaults]


def _given(tensor: torch.Tensor, text: bool) -> np.ndarray:
    """Text as src/engine/text.h has it."""
    if not text:
        return tensor.float().numpy() if tensor.dtype == torch.bfloat16 else tensor.numpy()
    rows = tensor.numpy().reshape(-1, tensor.shape[-1])
    words = [bytes(row).rstrip(b"\0").decode() for row in rows]
    return np.array(words, dtype=object).reshape(tensor.shape[:-1])


def tensors_of(name: str, value: Any) -> Iterator[tuple[str, torch.Tensor]]:
    """What is no tensor is taken apart as src/engines/onnxruntime/values.h says."""
    if value is None:
        return
    if isinstance(value, list):
        for i, part in enumerate(value):
            yield from tensors_of(f"{name}[{i}]", part)
    elif isinstance(value, dict):
        yield from tensors_of(f"{name}.keys", np.array(list(value.keys())))
        yield from tensors_of(f"{name}.values", np.array(list(value.values())))
    else:
        array = np.asarray(value)
        if array.dtype.kind in "OUS":
            words = [str(word).encode() for word in array.reshape(-1)]
            width = max([1, *map(len, words)])
            array = np.frombuffer(b"".join(w.ljust(width, b"\0") for w in words), np.uint8).reshape(*array.shape, width)
        yield name, _torch(array)


def _in_runtime(model: ModelProto, job: Job) -> Callable[[dict[str, np.ndarray]], list[Any]]:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.intra_op_num_threads = job.threads
    options.log_severity_level = 4
    try:
        session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # its exceptions share no base
        raise EngineError("unsupported", f"ONNX Runtime has not all of it in float64: {error}") from error
    return lambda feeds: session.run(None, feeds)


def _in_evaluator(model: ModelProto) -> Callable[[dict[str, np.ndarray]], list[Any]]:
    evaluator = ReferenceEvaluator(model, new_ops=[Conv])

    def run(feeds: dict[str, np.ndarray]) -> list[Any]:
        try:
            return evaluator.run(None, feeds)
        except (NotImplementedError, RuntimeError, TypeError) as error:
            raise EngineError("unsupported", f"ONNX's reference evaluator cannot run it: {error}") from error

    return run


class Conv(OpRun):
    """The evaluator's own is a loop."""

    op_domain = ""

    def _run(self, x, w, b=None, auto_pad=None, dilations=None, group=None, kernel_shape=None, pads=None, strides=None):  # noqa: ANN001, ANN202, E501
        axes = x.ndim - 2
        strides, dilations = list(strides or [1] * axes), list(dilations or [1] * axes)
        begin, end = list((pads or [0] * axes)[:axes]), list((pads or [0] * 2 * axes)[axes:])
        if auto_pad in ("SAME_UPPER", "SAME_LOWER"):
            for i in range(axes):
                kernel = (w.shape[2 + i] - 1) * dilations[i] + 1
                total = max(0, (-(-x.shape[2 + i] // strides[i]) - 1) * strides[i] + kernel - x.shape[2 + i])
                begin[i] = total // 2 if auto_pad == "SAME_UPPER" else total - total // 2
                end[i] = total - begin[i]
        around = [p for i in reversed(range(axes)) for p in (begin[i], end[i])]
        padded = torch.nn.functional.pad(_torch(x), around)
        convolve = (torch.nn.functional.conv1d, torch.nn.functional.conv2d, torch.nn.functional.conv3d)[axes - 1]
        bias = None if b is None else _torch(b)
        return (convolve(padded, _torch(w), bias, strides, 0, dilations, group or 1).numpy(),)


def _torch(array: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(np.array(array))  # a copy: those of a file cannot be written to


def widen(model: ModelProto) -> ModelProto:
    """Every float becomes float64, but for operands and results of operators that have none: those are rounded
    to what they were just there. Inputs keep their types. Raises EngineError for operators of other domains."""
    return _Widener(model).run()


class _Widener:
    def __init__(self, model: ModelProto) -> None:
        self._model = ModelProto()
        self._model.CopyFrom(model)
        self._opsets = {o.domain if o.domain != "ai.onnx" else "": o.version for o in model.opset_import}
        self._types: dict[str, int] = {}  # element types by value, as the file has them
        self._made = 0
        try:
            self._learn(onnx.shape_inference.infer_shapes(model).graph)
        except onnx.shape_inference.InferenceError as error:
            raise EngineError("unsupported", f"ONNX cannot infer its types: {error}") from error

    def run(self) -> ModelProto:
        graph = self._model.graph
        casts, renamed = [], {}
        for value in _inputs_of(graph):
            if value.type.tensor_type.elem_type in _FLOATS:
                renamed[value.name] = self._name(value.name)
                casts.append(self._cast(value.name, renamed[value.name], TensorProto.DOUBLE))
        self._widen(graph, renamed, casts)
        return self._model

    def _learn(self, graph: GraphProto) -> None:
        for tensor in graph.initializer:
            self._types[tensor.name] = tensor.data_type
        for value in (*graph.input, *graph.value_info, *graph.output):
            if value.type.tensor_type.elem_type:
                self._types[value.name] = value.type.tensor_type.elem_type
        for node in graph.node:
            for attribute in node.attribute:
                if attribute.type == AttributeProto.GRAPH:
                    self._learn(attribute.g)

    def _name(self, name: str) -> str:
        self._made += 1
        return f"{name}/wide{self._made}"

    @staticmethod
    def _cast(source: str, to: str, dtype: int) -> NodeProto:
        return helper.make_node("Cast", [source], [to], to=dtype)

    def _widen(self, graph: GraphProto, renamed: dict[str, str], first: list[NodeProto]) -> None:
        for tensor in graph.initializer:
            _widen_tensor(tensor)
        del graph.value_info[:]
        nodes = list(first)
        for node in graph.node:
            nodes += self._widen_node(node, renamed)
        for output in graph.output:
            _widen_type(output.type)
            if output.name in renamed:  # an input that is handed out
                nodes.append(helper.make_node("Identity", [renamed[output.name]], [output.name]))
        del graph.node[:]
        graph.node.extend(nodes)

    def _widen_node(self, node: NodeProto, renamed: dict[str, str]) -> list[NodeProto]:
        domain = "" if node.domain == "ai.onnx" else node.domain
        try:
            schema = onnx.defs.get_schema(node.op_type, self._opsets.get(domain, 1), domain)
        except onnx.defs.SchemaError as error:
            raise EngineError("unsupported", f"ONNX has no operator {domain}.{node.op_type}") from error
        before, after = [], []
        for i, name in enumerate(node.input):
            own = self._types.get(name)
            node.input[i] = renamed.get(name, name)
            if own in _FLOATS and not _takes_double(schema, schema.inputs, i):
                narrow = self._name(name)
                before.append(self._cast(node.input[i], narrow, own))
                node.input[i] = narrow
        for i, name in enumerate(node.output):
            if name and self._types.get(name) in _FLOATS and not _takes_double(schema, schema.outputs, i):
                node.output[i] = self._name(name)
                after.append(self._cast(node.output[i], name, TensorProto.DOUBLE))
        for attribute in node.attribute:
            self._widen_attribute(node, attribute, renamed)
        return [*before, node, *after]

    def _widen_attribute(self, node: NodeProto, attribute: AttributeProto, renamed: dict[str, str]) -> None:
        if attribute.type == AttributeProto.GRAPH:
            for value in attribute.g.input:
                _widen_type(value.type)
            self._widen(attribute.g, renamed, [])
        elif attribute.name in ("to", "dtype") and attribute.i in _FLOATS:
            attribute.i = TensorProto.DOUBLE
        elif node.op_type in ("Constant", "ConstantOfShape") and attribute.type == AttributeProto.TENSOR:
            _widen_tensor(attribute.t)
        elif node.op_type == "Constant" and attribute.name in ("value_float", "value_floats"):
            single = attribute.name == "value_float"
            numbers = np.array(attribute.f if single else list(attribute.floats), np.float64)
            attribute.CopyFrom(helper.make_attribute("value", numpy_helper.from_array(numbers)))


def _takes_double(schema: onnx.defs.OpSchema, formals: Any, position: int) -> bool:
    if not formals:
        return True
    kind = formals[min(position, len(formals) - 1)].type_str
    for constraint in schema.type_constraints:
        if constraint.type_param_str == kind:
            return _DOUBLE in constraint.allowed_type_strs
    return kind == _DOUBLE


def _widen_tensor(tensor: TensorProto) -> None:
    if tensor.data_type in _FLOATS:
        name = tensor.name
        tensor.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(tensor).astype(np.float64)))
        tensor.name = name


def _widen_type(proto: onnx.TypeProto) -> None:
    kind = proto.WhichOneof("value")
    if kind == "tensor_type" and proto.tensor_type.elem_type in _FLOATS:
        proto.tensor_type.elem_type = TensorProto.DOUBLE
    elif kind in ("sequence_type", "optional_type"):
        _widen_type(getattr(proto, kind).elem_type)

