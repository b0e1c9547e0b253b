"""@MODEL@ in ONNX Runtime, with the options under which assay measured @CONVERSION@.

    pip install onnxruntime==@VERSION@ numpy
    python run.py
"""

import pathlib
import statistics
import time

import numpy as np
import onnxruntime as ort

FOLDER = pathlib.Path(__file__).resolve().parent
INPUTS = @INPUTS@


def load() -> ort.InferenceSession:
    options = ort.SessionOptions()
    options.intra_op_num_threads = @THREADS@
    options.inter_op_num_threads = 1
    options.execution_mode = ort.ExecutionMode.ORT_SEQUENTIAL
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_ENABLE_ALL
    options.add_session_config_entry("session.set_denormal_as_zero", "1")
    return ort.InferenceSession(
        str(FOLDER / "model.onnx"), options, providers=["CPUExecutionProvider"]
    )


def example_inputs() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    return {
        name: (rng.standard_normal(shape) if "float" in dtype else np.zeros(shape)).astype(dtype)
        for name, (shape, dtype) in INPUTS.items()
    }


def main() -> None:
    session = load()
    inputs = example_inputs()  # put your own here
    times = []
    for _ in range(30):
        begin = time.perf_counter()
        outputs = session.run(None, inputs)
        times.append(1000 * (time.perf_counter() - begin))
    for port, output in zip(session.get_outputs(), outputs):
        print(f"{port.name}: {output.dtype} {output.shape}")
    print(f"median of {len(times) - 5} inferences: {statistics.median(times[5:]):.3f} ms")


if __name__ == "__main__":
    main()
