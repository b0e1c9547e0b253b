"""What the checks of the zoo's files share: inputs, runs, and how outputs are compared."""

import pathlib

import onnx
import onnxruntime
import torch


def draw_inputs(folder, sets, seed=0):
    """Random inputs of a model: numbers, masks, ids within what the first Gather of them picks from."""
    torch.manual_seed(seed)
    graph = onnx.load(str(pathlib.Path(folder) / "model.onnx"), load_external_data=False).graph
    shapes = {weight.name: list(weight.dims) for weight in graph.initializer}

    def draw(value):
        shape = [dimension.dim_value for dimension in value.type.tensor_type.shape.dim]
        if value.type.tensor_type.elem_type == onnx.TensorProto.FLOAT:
            return torch.randn(shape)
        tables = [node.input[0] for node in graph.node
                  if node.op_type == "Gather" and node.input[1] == value.name]
        drawn = torch.randint(shapes[tables[0]][0] if tables else 2, shape)
        if not tables:
            drawn[:, 0] = 1  # a mask hides nobody's all
        return drawn

    return [{value.name: draw(value) for value in graph.input} for _ in range(sets)]


def stack(runs):
    """A row for each run: all of its outputs, one after the other, in double precision."""

    def row(outputs):
        return torch.cat([torch.as_tensor(o).double().reshape(1, -1) for o in outputs], 1)

    return torch.cat([row(outputs) for outputs in runs])


def relative(difference, reference):
    return float(difference.norm() / reference.norm())


def run_onnxruntime(path, inputs):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 2
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    for x in inputs:
        yield session.run(None, {name: tensor.numpy() for name, tensor in x.items()})
