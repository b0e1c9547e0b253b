"""What the two PyTorch peers share: a handwritten module with the model's weights, and a loop."""

import pathlib
import statistics
import sys
import time

import safetensors.torch
import torch

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "tests" / "aten"))
import handwritten


def median_ms(wrap) -> float:
    """Latency of wrap(module) on four rotating inputs, without the first sixth of the time.

    Reads MODEL FOLDER THREADS SECONDS from the command line.
    """
    _, model, folder, threads, seconds = sys.argv
    torch.set_num_threads(int(threads))
    module = handwritten.MODELS[model]().eval()
    weights = safetensors.torch.load_file(f"{folder}/model.safetensors")
    absent, unexpected = module.load_state_dict(weights, strict=False)
    assert not unexpected and all(name.endswith("num_batches_tracked") for name in absent)
    call = wrap(module)
    inputs = [torch.rand(1, 3, 224, 224) for _ in range(4)]
    times = []
    with torch.inference_mode():
        call(inputs[0])
        deadline = time.perf_counter() + float(seconds)
        while time.perf_counter() < deadline:
            given = inputs[len(times) % 4]
            began = time.perf_counter_ns()
            call(given)
            times.append(time.perf_counter_ns() - began)
    return statistics.median(times[len(times) // 6 :]) / 1e6
