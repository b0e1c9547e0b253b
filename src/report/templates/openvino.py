"""@MODEL@ in OpenVINO, with the options under which assay measured @CONVERSION@.

    pip install openvino==@VERSION@ numpy
    python run.py
"""

import pathlib
import statistics
import time

import numpy as np
import openvino as ov

FOLDER = pathlib.Path(__file__).resolve().parent
INPUTS = @INPUTS@


# Not where OpenVINO computes otherwise from its cache than when it compiles afresh.
ARTIFACT = FOLDER / "artifact"
CACHE = {} if (ARTIFACT / "cache_not_used.txt").exists() else {"CACHE_DIR": str(ARTIFACT)}


def load() -> ov.CompiledModel:
    return ov.Core().compile_model(
        FOLDER / "model.onnx",
        "CPU",
        {
            "INFERENCE_PRECISION_HINT": "@PRECISION@",  # else it may take what the processor likes
            "PERFORMANCE_HINT": "LATENCY",
            "NUM_STREAMS": 1,
            "INFERENCE_NUM_THREADS": @THREADS@,
            "ENABLE_CPU_PINNING": False,
            **CACHE,
        },
    )


def example_inputs() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    return {
        name: (rng.standard_normal(shape) if "float" in dtype else np.zeros(shape)).astype(dtype)
        for name, (shape, dtype) in INPUTS.items()
    }


def main() -> None:
    request = load().create_infer_request()
    inputs = example_inputs()  # put your own here
    for name, value in inputs.items():
        request.set_tensor(name, ov.Tensor(value))
    times = []
    for _ in range(30):
        begin = time.perf_counter()
        request.infer()
        times.append(1000 * (time.perf_counter() - begin))
    for port in request.model_outputs:
        output = request.get_tensor(port).data
        print(f"{port.any_name}: {output.dtype} {output.shape}")
    print(f"median of {len(times) - 5} inferences: {statistics.median(times[5:]):.3f} ms")


if __name__ == "__main__":
    main()
