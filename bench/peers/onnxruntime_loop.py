"""A bare ONNX Runtime loop: MODEL FOLDER THREADS SECONDS; prints the median latency in ms."""

import statistics
import sys
import time

import numpy
import onnxruntime

_, _, folder, threads, seconds = sys.argv
options = onnxruntime.SessionOptions()
options.intra_op_num_threads = int(threads)
options.inter_op_num_threads = 1
session = onnxruntime.InferenceSession(
    f"{folder}/model.onnx", options, providers=["CPUExecutionProvider"]
)
entry = session.get_inputs()[0]
generator = numpy.random.default_rng(0)
inputs = [
    {entry.name: generator.random(entry.shape, dtype=numpy.float32)} for _ in range(4)
]

times = []
deadline = time.perf_counter() + float(seconds)
while time.perf_counter() < deadline:
    feed = inputs[len(times) % 4]
    began = time.perf_counter_ns()
    session.run(None, feed)
    times.append(time.perf_counter_ns() - began)
print(statistics.median(times[len(times) // 6 :]) / 1e6)
