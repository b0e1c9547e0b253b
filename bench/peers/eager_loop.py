"""PyTorch eager on a handwritten module: MODEL FOLDER THREADS SECONDS; prints the median latency in ms."""

import torch_loop

print(torch_loop.median_ms(lambda module: module))
