"""Compares counts of a model that is not in the zoo: check_counts.py PROGRAM_FOLDER NAME

torchvision's NAME is exported by torch.onnx; `assay profile` of that file must give within 1 % the
multiply-adds that PyTorch counts while it runs the module. torchvision lies where
ASSAY_REFERENCE_DEFINITIONS says (tools/reference_definitions.sh puts it there); without it the test
is skipped.
"""

import json
import os
import pathlib
import subprocess
import sys
import tempfile
import warnings

import torch
from torch.utils.flop_counter import FlopCounterMode

SKIPPED = 77
LIMIT = 0.01


def multiply_adds(module: torch.nn.Module, image: torch.Tensor) -> int:
    counter = FlopCounterMode(display=False)
    with torch.no_grad(), counter:
        module(image)
    return counter.get_total_flops() // 2


def main(folder: str, name: str) -> int:
    definitions = os.environ.get("ASSAY_REFERENCE_DEFINITIONS", "")
    if not (pathlib.Path(definitions) / "torchvision").is_dir():
        print("no torchvision: see tools/reference_definitions.sh")
        return SKIPPED
    sys.path.insert(0, definitions)
    import torchvision.models

    warnings.filterwarnings("ignore")
    weights = torchvision.models.get_model_weights(name).IMAGENET1K_V1
    size = weights.transforms.keywords["crop_size"]
    module = torchvision.models.get_model(name, weights=None, **(
        {"init_weights": False} if name in ("googlenet", "inception_v3") else {})).eval()  # fmt: skip
    image = torch.randn(1, 3, size, size)
    with tempfile.TemporaryDirectory(prefix="assay-counts-") as work:
        file = f"{work}/{name}.onnx"
        torch.onnx.export(module, (image,), file, dynamo=True, verbose=False)
        done = subprocess.run(
            [pathlib.Path(folder) / "assay", "profile", file, "--format", "json"],
            capture_output=True, text=True, check=True)  # fmt: skip
    profile = json.loads(done.stdout)
    expected = multiply_adds(module, image)
    off = profile["total"]["macs"] / expected - 1
    print(f"{name}: {profile['total']['macs']} multiply-adds, PyTorch counts {expected} ({off:+.3%})")
    print("coverage:", profile["coverage"])
    known = profile["coverage"]["operators"] == profile["coverage"]["understood"]
    return 0 if abs(off) <= LIMIT and known else 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
