"""Planted faults are found, healthy runtimes are not: faults_test.py ASSAY JUDGE [--write FILE] [MODEL...]

Each model of the zoo is run healthy on every engine with 1 and 2 threads, and with each fault that
its graph has a place for on ONNX Runtime. Fails when a healthy arm fails or is doubted, or a fault
does not end in `fail`. Writes the table of docs/verdicts.md.
"""

import argparse
import json
import os
import pathlib
import subprocess
import sys
import tempfile

import faults
import numpy as np
import onnx
import onnxruntime
from safetensors.numpy import load_file, save_file

MODELS = [
    "simplecnn",
    "resnet18",
    "mobilenet_v2",
    "mobilenet_v3_large",
    "efficientnet_b0",
    "convnext_tiny",
    "vit_b_32",
    "bert_base",
    "gpt2",
    "yolov8n",
]
ARMS = "EAGER,ONNX_CPU,COMPILE_OPENVINO,COMPILE_INDUCTOR_DEFAULT"
# What fp32 cannot show, with the reason: (model, fault).
BELOW_REACH: dict[tuple[str, str], str] = {}


def run(assay: str, home: pathlib.Path, model: pathlib.Path) -> dict:
    command = [assay, "run", str(model), "--conversions", ARMS, "--threads", "1,2", "--format", "json"]
    command += ["--processes", "1", "--samples", "5", "--max-seconds", "4", "--quiet", "--no-progress"]
    done = subprocess.run(
        command, env=os.environ | {"ASSAY_HOME": str(home)}, capture_output=True, text=True, check=False
    )
    if not done.stdout:
        raise SystemExit(f"{' '.join(command)}: {done.stderr}")
    return json.loads(done.stdout)


def references(home: pathlib.Path, folder: pathlib.Path) -> str:
    """The references of the one model that was run, under the names that the judge reads."""
    for kind in ("golden", "rounding", "noise", "witness"):
        (found,) = (home / "references").glob(f"*-{kind}-*.safetensors")
        (folder / f"ref-{kind}.safetensors").symlink_to(found)
    return str(folder / "ref-")


def outputs_of(graph: pathlib.Path, home: pathlib.Path) -> dict[str, np.ndarray]:
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    session = onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
    inputs = load_file(next((home / "inputs").glob("*.safetensors")))
    names = [output.name for output in session.get_outputs()]
    outputs = {}
    for chosen in range(len({name.rsplit(".", 1)[1] for name in inputs})):
        given = {i.name: inputs[f"{i.name}.{chosen}"] for i in session.get_inputs()}
        values = session.run(names, given)
        outputs |= {f"{n}.{chosen}": np.ascontiguousarray(v) for n, v in zip(names, values)}
    return outputs


def judge(judge_program: str, refs: str, outputs: dict[str, np.ndarray], folder: pathlib.Path) -> dict:
    written = folder / "outputs.safetensors"
    save_file(outputs, written)
    done = subprocess.run([judge_program, refs, written], capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def try_model(assay: str, judge_program: str, name: str, folder: pathlib.Path) -> tuple[str, list, list]:
    """Rows of the table, and what is not right."""
    home = folder / "home"
    home.mkdir()
    env = pathlib.Path(os.environ.get("ASSAY_HOME", pathlib.Path.home() / ".cache/assay")) / "env"
    (home / "env").symlink_to(env)
    subprocess.run([assay, "export", name, str(folder / name)], check=True, capture_output=True)
    graph = folder / name / "model.onnx"
    record = run(assay, home, graph)
    wrong, errors = [], []
    for arm in record["arms"]:
        if arm["outcome"] != "measured" or arm["output"]["verdict"] != "pass" or arm["output"]["deviates"]:
            wrong.append(f"{name}, healthy: {arm['label']} is {arm['outcome']}: {arm['reason']} {arm['output']}")
        else:
            errors.append((arm["output"]["relative_l2"], arm["output"]["tolerance"]))
    healthy = f"{max(e for e, _ in errors):.1e}" if errors else "-"
    cells = [name, f"{min(t for _, t in errors):.1e}" if errors else "-", healthy]
    refs = references(home, folder)
    right = outputs_of(graph, home)
    for fault, plant in faults.FAULTS.items():
        planter = faults.Planter(graph)
        if not plant(planter):
            cells.append("")
            continue
        planted = graph.with_name("planted.onnx")
        onnx.save(planter.model, planted)
        try:
            outputs = outputs_of(planted, home)
        except Exception as e:  # the runtime refuses the graph: no wrong output to miss
            cells.append("refused" if "onnxruntime" in type(e).__module__ else f"error {e}")
            continue
        if all(np.array_equal(outputs[name], right[name]) for name in right):
            cells.append("")  # it changes nothing here, such as the rounding of a size that is whole
            continue
        judgement = judge(judge_program, refs, outputs, folder)
        known = BELOW_REACH.get((name, fault))
        error = judgement["relative_l2"]
        cells.append(f"{error:.0e}" if error >= 0 else "shape")
        if judgement["verdict"] != "fail":
            cells[-1] += " **" + ("deviates" if judgement["deviates"] else judgement["verdict"]) + "**"
            if known is None:
                wrong.append(f"{name}, {fault}: {judgement}")
    return cells, wrong


def table(rows: list[list[str]]) -> str:
    head = ["model", "allowed", "healthy, worst", *faults.FAULTS]
    columns = [head, *rows]
    return "\n".join(
        ["| " + " | ".join(row) + " |" + ("\n|" + "---|" * len(head) if k == 0 else "") for k, row in enumerate(columns)]
    )


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("assay")
    parser.add_argument("judge")
    parser.add_argument("--write", type=pathlib.Path)
    parser.add_argument("models", nargs="*", default=MODELS)
    asked = parser.parse_args()
    rows, wrong = [], []
    for name in asked.models:
        with tempfile.TemporaryDirectory() as folder:
            row, misses = try_model(asked.assay, asked.judge, name, pathlib.Path(folder))
        print(" | ".join(row), *misses, sep="\n", flush=True)
        rows.append(row)
        wrong += misses
    if asked.write:
        begin, end = "<!-- table -->\n", "<!-- end -->\n"
        text = asked.write.read_text()
        before, after = text.split(begin)[0], text.split(end)[1]
        asked.write.write_text(before + begin + table(rows) + "\n" + end + after)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
