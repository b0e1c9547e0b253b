"""Checks one model of the zoo: check_model.py BUILD_MODEL CACHE NAME

Other tools accept the file and agree on its output; rounding to lower precisions stays small beside
what the output says about the input, so that an error of a runtime can be told from rounding.
"""

import subprocess
import sys

import onnx
import openvino
import torch

from replay import Replay
from runs import draw_inputs, relative, run_onnxruntime, stack

INPUTS = 4
LIMITS = {"float32": 1e-5, "bfloat16": 2e-2, "int8": 6e-2}
LEAST_DEPENDENCE = 2e-2


def varying(outputs):
    """What is left of outputs (one row per input) without their mean over the inputs."""
    return outputs - outputs.mean(0, keepdim=True)


def run_openvino(path, inputs):
    config = {"INFERENCE_PRECISION_HINT": "f32", "INFERENCE_NUM_THREADS": 2}
    model = openvino.Core().compile_model(path, "CPU", config)
    for x in inputs:
        results = model({name: tensor.numpy() for name, tensor in x.items()})
        yield [results[output] for output in model.outputs]


def main(build_model, cache, name):
    folder = subprocess.run(
        [build_model, name, cache], check=True, capture_output=True, text=True
    ).stdout.strip()
    path = f"{folder}/model.onnx"
    onnx.checker.check_model(path, full_check=True)
    torch.set_num_threads(2)
    inputs = draw_inputs(folder, INPUTS)

    golden_model = Replay(folder, "float64")
    golden = stack(golden_model(x) for x in inputs)
    failures = []

    def judge(what, value, limit, least=False):
        ok = value >= limit if least else value <= limit
        print(f"{name:13} {what:34} {value:9.2e}  {'>=' if least else '<='} {limit:.0e}"
              f"{'' if ok else '   FAILED'}")
        if not ok:
            failures.append(what)

    judge("dependence on the input", relative(varying(golden), golden), LEAST_DEPENDENCE, least=True)
    for runtime, run in (("onnxruntime", run_onnxruntime), ("openvino", run_openvino)):
        judge(runtime, relative(stack(run(path, inputs)) - golden, golden), LIMITS["float32"])
    for precision, limit in LIMITS.items():
        model = Replay(folder, precision)
        error = stack(model(x) for x in inputs) - golden
        judge(precision, relative(error, golden), limit)
        print(f"{name:13} {precision + ', of the part that varies':34} "
              f"{relative(error, varying(golden)):9.2e}")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
