#!/usr/bin/env python3
"""One model of the zoo under the four conversions that stand for the rest: each is measured, and its
outputs pass.

Usage: zoo_run.py PROGRAM_FOLDER MODEL [OPTION...]     further options of `assay run`
"""

import json
import os
import pathlib
import subprocess
import sys
import tempfile

CONVERSIONS = ["EAGER", "EXPORT+AOT_INDUCTOR", "ONNX_CPU", "COMPILE_OPENVINO"]


def main() -> int:
    program = pathlib.Path(sys.argv[1]).resolve() / "assay"
    options = ["--processes", "1", "--samples", "3", "--baseline-runs", "3", "--max-seconds", "20"]
    with tempfile.TemporaryDirectory(prefix="assay-zoo-") as home:
        done = subprocess.run(
            [program, "run", sys.argv[2], "--conversions", ",".join(CONVERSIONS), *options,
             *sys.argv[3:], "--format", "json"],
            env=os.environ | {"ASSAY_HOME": home}, capture_output=True, text=True)  # fmt: skip
    print(done.stderr)
    if done.returncode not in (0, 1):
        return 1
    failed = 0
    for arm in json.loads(done.stdout)["arms"]:
        verdict = arm["output"] and arm["output"]["verdict"]
        latency = arm["latency_ms"] and f"{arm['latency_ms']['median']:.3f} ms"
        print(f"{arm['conversion']:20} {arm['outcome']:10} {latency} output {verdict} {arm['reason']}")
        failed += (arm["outcome"], verdict) != ("measured", "pass")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
