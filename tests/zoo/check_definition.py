"""Compares a model with its original definition: check_definition.py BUILD_MODEL CACHE NAME

Both have the zoo's random weights, which must load into the original strictly. The originals lie
where ASSAY_REFERENCE_DEFINITIONS says (tools/reference_definitions.sh puts them there); without it
the test is skipped.
"""

import os
import subprocess
import sys
import tempfile

import safetensors.torch
import torch

from replay import Replay
from runs import draw_inputs, relative, run_onnxruntime, stack

SKIPPED = 77
INPUTS = 2
# In single precision: the greater of the two. Noise is the original's own error there.
LIMIT = 1e-5
NOISES = 10
# In double precision nothing is left but the numbers that an ONNX file holds in single precision:
# epsilons, slopes.
DOUBLE_LIMIT = 1e-7


class Torchvision:
    """A classifier of images."""

    package = "torchvision"
    made_here = ("num_batches_tracked",)  # tensors that a checkpoint need not have

    def __init__(self, name):
        import torchvision.models

        self.module = torchvision.models.get_model(name, weights=None).eval()
        weights = torchvision.models.get_model_weights(name)
        # Of the images that the first published weights were made for.
        size = weights.IMAGENET1K_V1.transforms.keywords["crop_size"]
        self.shape = [1, 3, size, size]

    def __call__(self, inputs):
        return [self.module(inputs["input"])]


class Bert:
    package = "transformers"
    made_here = ()

    def __init__(self, name):
        import transformers

        self.module = transformers.BertModel(transformers.BertConfig()).eval()
        self.shape = [1, 128]

    def __call__(self, inputs):
        result = self.module(**inputs)
        return [result.last_hidden_state, result.pooler_output]


class Gpt2:
    package = "transformers"
    made_here = ("lm_head.weight",)  # the embedding's

    def __init__(self, name):
        import transformers

        self.name = name
        self.module = transformers.GPT2LMHeadModel(transformers.GPT2Config()).eval()
        self.shape = [1, 1 if name == "gpt2_decode" else 128]

    def __call__(self, inputs):
        if self.name == "gpt2":
            return [self.module(inputs["input_ids"], use_cache=False).logits]
        from transformers import DynamicCache

        cache = DynamicCache()
        for layer in range(self.module.config.n_layer):
            if f"past.{layer}.key" in inputs:
                cache.update(inputs[f"past.{layer}.key"], inputs[f"past.{layer}.value"], layer)
        result = self.module(
            inputs["input_ids"], cache=cache, use_cache=True, logits_to_keep=1
        )
        present = [kept for layer in cache.layers for kept in (layer.keys, layer.values)]
        return [result.logits[:, 0], *present]


class YoloV8:
    package = "ultralytics"
    made_here = ("num_batches_tracked", "dfl.conv.weight")  # the latter of the decoding

    def __init__(self, name):
        os.environ["YOLO_CONFIG_DIR"] = tempfile.gettempdir()  # where it writes settings
        from ultralytics.nn.tasks import DetectionModel

        self.module = DetectionModel(f"{name}.yaml", verbose=False).eval()
        self.shape = [1, 3, 640, 640]
        self.module.model[-1].training = True  # gives what goes into the decoding

    def __call__(self, inputs):
        parts = self.module(inputs["images"])
        both = torch.cat([parts["boxes"], parts["scores"]], 1)
        sizes = [self.shape[2] // stride for stride in (8, 16, 32)]
        maps = both.split([size * size for size in sizes], 2)
        return [one.unflatten(2, (size, size)) for one, size in zip(maps, sizes)]


ORIGINALS = {"bert": Bert, "gpt2": Gpt2, "yolov8": YoloV8}


def original_of(name):
    families = [kind for prefix, kind in ORIGINALS.items() if name.startswith(prefix)]
    return families[0] if families else Torchvision


def load_strictly(original, name, weights):
    mismatch = original.module.load_state_dict(weights, strict=False)
    missing = [key for key in mismatch.missing_keys if not key.endswith(original.made_here)]
    if missing or mismatch.unexpected_keys:
        sys.exit(f"{name}: missing {missing}, unexpected {mismatch.unexpected_keys}")


def widened(inputs):
    return {key: x.double() if x.is_floating_point() else x for key, x in inputs.items()}


def main(build_model, cache, name):
    definitions = os.environ.get("ASSAY_REFERENCE_DEFINITIONS", "")
    kind = original_of(name)
    if not os.path.isdir(os.path.join(definitions or "/", kind.package)):
        print(f"skipped: no {kind.package} in ASSAY_REFERENCE_DEFINITIONS ('{definitions}');"
              " tools/reference_definitions.sh fetches it")
        return SKIPPED
    sys.path.insert(0, definitions)
    torch.set_num_threads(2)
    torch.set_grad_enabled(False)
    folder = subprocess.run(
        [build_model, name, cache], check=True, capture_output=True, text=True
    ).stdout.strip()

    original = kind(name)
    load_strictly(original, name, safetensors.torch.load_file(f"{folder}/model.safetensors"))
    inputs = draw_inputs(folder, INPUTS)
    single = stack(original(x) for x in inputs)
    original.module.double()
    double = stack(original(widened(x)) for x in inputs)
    assert list(next(iter(inputs[0].values())).shape) == original.shape
    ours = stack(run_onnxruntime(f"{folder}/model.onnx", inputs))
    del original
    replay = Replay(folder, "float64")
    replayed = stack(replay(x) for x in inputs)

    noise = relative(single - double, double)
    error = relative(ours - single, single)
    exact = relative(replayed - double, double)
    limit = max(LIMIT, NOISES * noise)
    print(f"{name:18} fp32 {error:.2e} <= {limit:.2e}   own noise {noise:.2e}   "
          f"fp64 {exact:.2e} <= {DOUBLE_LIMIT:.0e}")
    return 0 if error <= limit and exact <= DOUBLE_LIMIT else 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
