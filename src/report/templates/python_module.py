"""@MODEL@, your own module in PyTorch, with the options under which assay measured @CONVERSION@.

    pip install torch==@VERSION@ safetensors
    python run.py

Your code is not copied: module.json names where it is imported from ("target", "folder"; change
them when it moves). Its weights, as they were measured, are in model.safetensors here.
"""

import os
import pathlib
import statistics
import time

FOLDER = pathlib.Path(__file__).resolve().parent
os.environ["OMP_NUM_THREADS"] = "@THREADS@"
os.environ.setdefault("TORCHINDUCTOR_CACHE_DIR", str(FOLDER / "artifact" / "inductor"))

import torch  # noqa: E402  (after the environment that it reads)

from assay_model import user_module  # noqa: E402

COMPILE = @COMPILE@


def example_inputs(facts: dict) -> tuple[list, dict]:
    """By position and by name."""
    torch.manual_seed(0)
    args, kwargs = [], {}
    for argument in facts["arguments"]:
        dtype = getattr(torch, argument["dtype"])
        floating = dtype.is_floating_point
        value = (torch.randn if floating else torch.zeros)(argument["shape"], dtype=dtype)
        if argument["keyword"]:
            kwargs[argument["name"]] = value
        else:
            args.append(value)
    return args, kwargs


def main() -> None:
    torch.set_num_threads(@THREADS@)
    torch.set_num_interop_threads(1)
    torch.set_flush_denormal(True)
    torch.set_float32_matmul_precision("highest")
    module, facts = user_module.load(FOLDER)
    module = torch.compile(module) if COMPILE else module
    args, kwargs = example_inputs(facts)  # put your own here
    times = []
    with torch.inference_mode():
        for _ in range(30):
            begin = time.perf_counter()
            outputs = module(*args, **kwargs)
            times.append(1000 * (time.perf_counter() - begin))
    for name, output in user_module.named_outputs(outputs):
        print(f"{name}: {output.dtype} {tuple(output.shape)}")
    print(f"median of {len(times) - 5} inferences: {statistics.median(times[5:]):.3f} ms")


if __name__ == "__main__":
    main()
