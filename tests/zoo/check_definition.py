"""Compares a model with its original definition: check_definition.py BUILD_MODEL CACHE NAME

Both have the zoo's random weights, which must load into the original strictly. The originals lie
where ASSAY_REFERENCE_DEFINITIONS says (tools/reference_definitions.sh puts them there); without it
the test is skipped.
"""

import os
import subprocess
import sys

import onnxruntime
import safetensors.torch
import torch

from replay import Replay

SKIPPED = 77
INPUTS = 2
# In single precision: the greater of the two. Noise is the original's own error there.
LIMIT = 1e-5
NOISES = 10
# In double precision nothing is left but the numbers that an ONNX file holds in single precision:
# epsilons, slopes.
DOUBLE_LIMIT = 1e-7


def relative(difference, reference):
    return float((difference.double()).norm() / reference.double().norm())


def load_original(name, weights):
    import torchvision.models

    original = torchvision.models.get_model(name, weights=None).eval()
    mismatch = original.load_state_dict(weights, strict=False)
    missing = [key for key in mismatch.missing_keys if not key.endswith("num_batches_tracked")]
    if missing or mismatch.unexpected_keys:
        sys.exit(f"{name}: missing {missing}, unexpected {mismatch.unexpected_keys}")
    return original


def input_size(name):
    """Of the images that the first published weights were made for."""
    import torchvision.models

    return torchvision.models.get_model_weights(name).IMAGENET1K_V1.transforms.keywords["crop_size"]


def run_onnxruntime(path, inputs):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 2
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    shape = session.get_inputs()[0].shape
    assert list(inputs[0].shape) == shape, shape
    return torch.cat([torch.from_numpy(session.run(None, {"input": x.numpy()})[0]) for x in inputs])


def main(build_model, cache, name):
    definitions = os.environ.get("ASSAY_REFERENCE_DEFINITIONS", "")
    if not os.path.isdir(os.path.join(definitions or "/", "torchvision")):
        print(f"skipped: no torchvision in ASSAY_REFERENCE_DEFINITIONS ('{definitions}');"
              " tools/reference_definitions.sh fetches it")
        return SKIPPED
    sys.path.insert(0, definitions)
    torch.set_num_threads(2)
    torch.set_grad_enabled(False)
    torch.manual_seed(0)
    folder = subprocess.run(
        [build_model, name, cache], check=True, capture_output=True, text=True
    ).stdout.strip()

    original = load_original(name, safetensors.torch.load_file(f"{folder}/model.safetensors"))
    size = input_size(name)
    inputs = [torch.randn(1, 3, size, size) for _ in range(INPUTS)]
    single = torch.cat([original(x) for x in inputs])
    original.double()
    double = torch.cat([original(x.double()) for x in inputs])
    del original

    noise = relative(single - double, double)
    ours = relative(run_onnxruntime(f"{folder}/model.onnx", inputs) - single, single)
    replayed = Replay(folder, "float64")
    exact = relative(torch.cat([replayed(x) for x in inputs]) - double, double)
    limit = max(LIMIT, NOISES * noise)
    print(f"{name:18} fp32 {ours:.2e} <= {limit:.2e}   own noise {noise:.2e}   "
          f"fp64 {exact:.2e} <= {DOUBLE_LIMIT:.0e}")
    return 0 if ours <= limit and exact <= DOUBLE_LIMIT else 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
