"""@MODEL@ in OpenVINO, with the options under which assay measured @CONVERSION@.

    pip install openvino==@VERSION@ numpy
    python run.py
"""

import pathlib
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
            "PERFORMANCE_HINT": "THROUGHPUT",  # which chooses streams and requests
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
    queue = ov.AsyncInferQueue(load())  # as many requests at a time as OpenVINO asks for
    shapes = {}

    def completed(request: ov.InferRequest, _: object) -> None:
        for port in request.model_outputs:
            data = request.get_tensor(port).data
            shapes[port.any_name] = f"{data.dtype} {data.shape}"

    queue.set_callback(completed)
    inputs = example_inputs()  # put your own here, other ones for each request
    count = 20 * len(queue)
    for _ in range(count):
        queue.start_async(inputs)
    queue.wait_all()
    begin = time.perf_counter()
    for _ in range(count):
        queue.start_async(inputs)  # waits for a request that is free
    queue.wait_all()
    seconds = time.perf_counter() - begin
    for name, shape in shapes.items():
        print(f"{name}: {shape}")
    print(f"{count / seconds:.1f} inferences per second, {len(queue)} at a time")


if __name__ == "__main__":
    main()
