#!/usr/bin/env python3
"""One model of the zoo under many conversions: each is measured, and its outputs pass.

Usage: model_run.py PROGRAM_FOLDER MODEL [CONVERSIONS]

Without CONVERSIONS: the four that stand for the rest. With them (a selection as `assay run` takes it)
an arm may also be unsupported, with a reason, and outputs that no class of numbers can be held to
(int2) may be unchecked.
"""

import json
import os
import pathlib
import subprocess
import sys
import tempfile

FOUR = "EAGER,EXPORT+AOT_INDUCTOR,ONNX_CPU,COMPILE_OPENVINO"
OPTIONS = ["--processes", "1", "--samples", "3", "--baseline-runs", "3"]


def main(folder: str, model: str, conversions: str = "") -> int:
    program = pathlib.Path(folder).resolve() / "assay"
    seconds = ["--max-seconds", "600" if conversions else "20"]
    with tempfile.TemporaryDirectory(prefix="assay-model-") as home:
        done = subprocess.run(
            [program, "run", model, "--conversions", conversions or FOUR, *OPTIONS, *seconds,
             "--format", "json"],
            env=os.environ | {"ASSAY_HOME": home}, capture_output=True, text=True)  # fmt: skip
    print(done.stderr)
    if done.returncode not in (0, 1):
        return 1
    failed = measured = 0
    for arm in json.loads(done.stdout)["arms"]:
        verdict = arm["output"] and arm["output"]["verdict"]
        error = arm["output"] and f"{arm['output']['relative_l2']:.2g}"
        latency = arm["latency_ms"] and f"{arm['latency_ms']['median']:.3f} ms"
        print(f"{arm['conversion']:58} {arm['outcome']:11} {latency} output {verdict} {error}",
              arm["reason"], *(note for note in arm["notes"] if "int" in note))  # fmt: skip
        good = (arm["outcome"], verdict) == ("measured", "pass")
        if conversions and not good:
            good = bool(arm["outcome"] == "unsupported" and arm["reason"]) or verdict == "unchecked"
        failed += not good
        measured += arm["outcome"] == "measured"
    print(f"{measured} measured, {failed} not as they should be")
    return 1 if failed or not measured else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
