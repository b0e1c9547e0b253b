"""@MODEL@ in PyTorch, with the options under which assay measured @CONVERSION@.

    pip install torch==@VERSION@ safetensors numpy
    python run.py
"""

import os
import pathlib
import statistics
import time

FOLDER = pathlib.Path(__file__).resolve().parent
os.environ["OMP_NUM_THREADS"] = "@THREADS@"
os.environ.setdefault("TORCHINDUCTOR_CACHE_DIR", str(FOLDER / "artifact" / "inductor"))

import torch  # noqa: E402  (after the environment that it reads)

from assay_model import module_tree, program  # noqa: E402

INPUTS = @INPUTS@
COMPILE = @COMPILE@


def load() -> torch.nn.Module:
    torch.set_num_threads(@THREADS@)
    torch.set_num_interop_threads(1)
    torch.set_flush_denormal(True)
    torch.set_float32_matmul_precision("highest")
    calls = program.load(FOLDER / "program.json")
    module = module_tree.build_module(calls, program.load_weights(calls, FOLDER))
    return torch.compile(module) if COMPILE else module


def example_inputs() -> list[torch.Tensor]:
    torch.manual_seed(0)
    return [
        torch.randn(shape).to(getattr(torch, dtype))
        if "float" in dtype
        else torch.zeros(shape, dtype=getattr(torch, dtype))
        for shape, dtype in INPUTS.values()
    ]


def main() -> None:
    module = load()
    inputs = example_inputs()  # put your own here
    times = []
    with torch.inference_mode():
        for _ in range(30):
            begin = time.perf_counter()
            outputs = module(*inputs)
            times.append(1000 * (time.perf_counter() - begin))
    for output in [outputs] if isinstance(outputs, torch.Tensor) else outputs:
        print(f"output: {output.dtype} {tuple(output.shape)}")
    print(f"median of {len(times) - 5} inferences: {statistics.median(times[5:]):.3f} ms")


if __name__ == "__main__":
    main()
