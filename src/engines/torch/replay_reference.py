"""The network of torch_engine_test.cc as a module written by hand.

Usage: replay_reference.py eager|package FOLDER. Reads model.safetensors and inputs.safetensors
there; `eager` writes reference.safetensors, `package` compiles it into artifact/package.
"""

import json
import os
import pathlib
import sys
import zipfile

import torch
from safetensors.torch import load_file, save_file
from torch import nn

THREADS = 2


class SmallNetwork(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 8, 3, padding=1)
        self.bn = nn.BatchNorm2d(8)
        self.relu = nn.ReLU(inplace=True)
        self.pool = nn.MaxPool2d(2)
        self.fc = nn.Linear(1024, 10)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.pool(self.relu(self.bn(self.conv(x))))
        return self.fc(torch.flatten(torch.cat([x, x], 1), 1))


def package(model: nn.Module, x: torch.Tensor, artifact: pathlib.Path) -> None:
    artifact.mkdir()
    compiled = torch._inductor.aoti_compile_and_package(
        torch.export.export(model, (x,)), package_path=str(artifact / "model.pt2")
    )
    with zipfile.ZipFile(compiled) as archive:
        archive.extractall(artifact / "package")
    facts = {"torch": torch.__version__.split("+")[0], "threads": THREADS}
    (artifact / "artifact.json").write_text(json.dumps(facts))


def main(what: str, folder: pathlib.Path) -> None:
    os.environ["TORCHINDUCTOR_CACHE_DIR"] = str(folder / "inductor")
    torch.set_num_threads(THREADS)
    model = SmallNetwork().eval()
    model.load_state_dict(load_file(folder / "model.safetensors"), strict=False)
    inputs = load_file(folder / "inputs.safetensors")
    with torch.inference_mode() if what == "eager" else torch.no_grad():
        if what == "package":
            package(model, inputs["x.0"], folder / "artifact")
            return
        outputs = {f"y.{k}": model(inputs[f"x.{k}"]) for k in range(2)}
    save_file(outputs, folder / "reference.safetensors")


if __name__ == "__main__":
    main(sys.argv[1], pathlib.Path(sys.argv[2]))
