"""Runs an ONNX file of the zoo with PyTorch calls, in any precision.

A reference of our tests only: it shares no code with the lowering, so that one checks the other.
"""

import pathlib

import onnx
import onnx.numpy_helper
import safetensors.torch
import torch
import torch.nn.functional as F


EMBEDDINGS = ("class_token", "pos_embedding", "embeddings.weight", "wte.weight", "wpe.weight")


def quantise(values, axis=None):
    """Rounds to 8 bits and back: symmetric per slice of `axis`, else affine over the whole tensor."""
    if axis is not None:
        others = [i for i in range(values.dim()) if i != axis]
        scale = values.abs().amax(dim=others, keepdim=True).clamp_min(1e-12) / 127
        return (values / scale).round().clamp(-127, 127) * scale
    low, high = values.min().clamp_max(0), values.max().clamp_min(0)
    scale = (high - low).clamp_min(1e-12) / 255
    zero = (-low / scale).round()
    return ((values / scale + zero).round().clamp(0, 255) - zero) * scale


class Replay:
    """precision: "float32", "float64", "bfloat16", or "int8" (fake-quantised float32)."""

    def __init__(self, folder, precision="float32"):
        folder = pathlib.Path(folder)
        graph = onnx.load(str(folder / "model.onnx"), load_external_data=False).graph
        self.nodes = list(graph.node)
        self.outputs = [value.name for value in graph.output]
        self.int8 = precision == "int8"
        self.dtype = torch.float32 if self.int8 else getattr(torch, precision)
        self.weights = {
            name: tensor.to(self.dtype)
            for name, tensor in safetensors.torch.load_file(folder / "model.safetensors").items()
        }
        if self.int8:
            for name, tensor in self.weights.items():
                if tensor.dim() >= 2 and not name.endswith(EMBEDDINGS):
                    self.weights[name] = quantise(tensor, axis=0)

    def __call__(self, inputs):
        """The outputs in order, of a dictionary of inputs."""
        values = dict(self.weights)
        for name, tensor in inputs.items():
            values[name] = tensor.to(self.dtype) if tensor.is_floating_point() else tensor
        with torch.no_grad():
            for node in self.nodes:
                attributes = {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute}
                results = self.run(node, [values.get(name) for name in node.input], attributes)
                results = results if isinstance(results, (list, tuple)) else [results]
                values.update(zip(node.output, results))
        return [values[name] for name in self.outputs]

    def run(self, node, inputs, attributes):
        if self.int8 and node.op_type in ("Conv", "Gemm", "MatMul"):
            inputs = [quantise(inputs[0])] + inputs[1:]
            if node.input[1] not in self.weights and not node.input[1].endswith(".transpose"):
                inputs[1] = quantise(inputs[1])
        return getattr(self, "on_" + node.op_type.lower())(*inputs, **attributes)

    def on_constant(self, value_ints=None, value_int=None, value_float=None, value_floats=None):
        if value_float is not None:
            return torch.tensor(value_float, dtype=torch.float64).clamp(
                torch.finfo(self.dtype).min, None).to(self.dtype)
        if value_floats is not None:
            return torch.tensor(value_floats)
        return torch.tensor(value_int if value_ints is None else value_ints)

    def on_conv(self, x, weight, bias=None, *, strides, pads, dilations, group, kernel_shape):
        assert list(weight.shape[2:]) == kernel_shape and pads[:2] == pads[2:]
        return F.conv2d(x, weight, bias, strides, pads[:2], dilations, group)

    def on_batchnormalization(self, x, weight, bias, mean, variance, *, epsilon, momentum=0.9):
        return F.batch_norm(x, mean, variance, weight, bias, eps=epsilon)

    def on_layernormalization(self, x, weight, bias, *, axis, epsilon):
        assert axis == -1
        return F.layer_norm(x, weight.shape, weight, bias, epsilon)

    def on_gemm(self, x, weight, bias, *, transB):
        assert transB == 1
        return F.linear(x, weight, bias)

    def on_maxpool(self, x, *, kernel_shape, strides, pads):
        return F.max_pool2d(x, kernel_shape, strides, pads[:2])

    def on_globalaveragepool(self, x):
        return F.adaptive_avg_pool2d(x, 1)

    def on_clip(self, x, low, high):
        return x.clamp(low, high)

    def on_split(self, x, *, axis, num_outputs):
        return x.chunk(num_outputs, axis)

    def on_concat(self, *inputs, axis):
        return torch.cat(inputs, axis)

    def on_gather(self, x, index, *, axis):
        return x.select(axis, int(index)) if index.dim() == 0 else x[index]

    def on_reshape(self, x, shape):
        return x.reshape(shape.tolist())

    def on_expand(self, x, shape):
        return x.expand(shape.tolist())

    def on_transpose(self, x, *, perm):
        return x.permute(perm)

    def on_flatten(self, x, *, axis):
        return x.flatten(axis)

    def on_softmax(self, x, *, axis):
        return x.softmax(axis)

    def on_relu(self, x):
        return x.relu()

    def on_gelu(self, x, *, approximate=b"none"):
        return F.gelu(x, approximate=approximate.decode())

    def on_tanh(self, x):
        return x.tanh()

    def on_cast(self, x, *, to):
        assert to == onnx.TensorProto.FLOAT
        return x.to(self.dtype)

    def on_trilu(self, x, above):
        return x.triu(int(above))

    def on_resize(self, x, region, scales, **attributes):
        assert scales.tolist() == [1, 1, 2, 2] and attributes["mode"] == b"nearest"
        return F.interpolate(x, scale_factor=2, mode="nearest")

    def on_sub(self, a, b):
        return a - b

    def on_sigmoid(self, x):
        return x.sigmoid()

    def on_hardsigmoid(self, x, *, alpha, beta):
        return (x * alpha + beta).clamp(0, 1)

    def on_hardswish(self, x):
        return F.hardswish(x)

    def on_add(self, a, b):
        return a + b

    def on_mul(self, a, b):
        return a * b

    def on_matmul(self, a, b):
        return a @ b
