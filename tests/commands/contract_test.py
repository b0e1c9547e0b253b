#!/usr/bin/env python3
"""The JSON of a run against the contract: every key, its type, null where it does not apply.

Usage: contract_test.py PROGRAM_FOLDER

The lists below are the contract's, written out by hand on purpose: they are what others script
against, whatever our own tables say.
"""

import csv
import io
import json
import math
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

PROGRAMS = pathlib.Path()

NUMBER, TEXT, WHOLE, YES_OR_NO = (int, float), str, int, bool
LIST_OF_TEXT, LIST_OF_NUMBERS = [TEXT], [NUMBER]


def maybe(kind):
    return ("maybe", kind)


ASKED_AND_OBTAINED = {"asked": TEXT, "obtained": TEXT}
LATENCY = {
    "median": NUMBER, "ci95": LIST_OF_NUMBERS, "mean": NUMBER, "stddev": NUMBER, "min": NUMBER,
    "p90": NUMBER, "p95": maybe(NUMBER), "p99": maybe(NUMBER), "n": WHOLE,
}  # fmt: skip
SPEEDUP = {
    "vs": TEXT, "ratio": NUMBER, "ci95": LIST_OF_NUMBERS, "separated": YES_OR_NO, "rounds": WHOLE,
}  # fmt: skip
OUTPUT = {
    "verdict": TEXT, "reference": TEXT, "relative_l2": NUMBER, "max_abs": NUMBER, "cosine": NUMBER,
    "top1_agreement": maybe(NUMBER), "tolerance": NUMBER, "least_passing_tolerance": NUMBER,
}  # fmt: skip
MEASURED = {
    "conversion": TEXT, "engine": TEXT, "engine_version": TEXT, "outcome": TEXT, "reason": TEXT,
    "stage": TEXT, "stopped": TEXT, "threads": {"asked": WHOLE, "obtained": WHOLE},
    "precision": ASKED_AND_OBTAINED, "device": ASKED_AND_OBTAINED, "prepare_s": maybe(NUMBER),
    "load_s": NUMBER, "first_inference_ms": NUMBER, "artifact_bytes": maybe(WHOLE),
    "peak_rss_bytes": WHOLE, "prepare_peak_rss_bytes": maybe(WHOLE), "latency_ms": LATENCY,
    "samples_ms": LIST_OF_NUMBERS, "timed": WHOLE, "steady": YES_OR_NO,
    "process_spread": maybe(NUMBER), "metric": TEXT, "throughput_per_s": NUMBER,
    "speedup": maybe(SPEEDUP), "output": OUTPUT, "repeat": TEXT,
}  # fmt: skip
RUN = {
    "schema": TEXT, "assay_version": TEXT, "started": TEXT, "command": LIST_OF_TEXT,
    "trust": {"verdict": TEXT, "reasons": LIST_OF_TEXT},
    "machine": {
        "cpu": TEXT, "physical_cores": WHOLE, "logical_cpus": WHOLE, "cpus_allowed": TEXT,
        "isa": LIST_OF_TEXT, "memory_bytes": WHOLE, "os": TEXT, "warnings": LIST_OF_TEXT,
    },
    "model": {
        "name": TEXT, "source": TEXT, "parameters": WHOLE, "macs": WHOLE, "batch_size": WHOLE,
        "inputs": [{"name": TEXT, "dtype": TEXT, "shape": [WHOLE]}], "weights": TEXT,
        "sha256": TEXT,
    },
    "baseline": TEXT,
    "arms": [dict],
    "recommendation": {
        "conversion": TEXT, "why": TEXT, "not_separated_from": LIST_OF_TEXT,
        "artifact": maybe(TEXT),
    },
}  # fmt: skip
# What an arm that was not measured must still say.
ALWAYS = {"conversion", "engine", "outcome", "reason", "stage", "threads", "precision", "device",
          "metric", "repeat"}  # fmt: skip

PLAIN = {"own_clock": True, "latency_ns": 1000000}
DIES = {"misbehave": [{"stage": "load", "how": "segv"}]}
UNFIT = {"misbehave": [{"stage": "load", "how": "unsupported"}]}
SCRIPT = {
    "default": PLAIN,
    "arms": {
        "ONNX_CPU": {"own_clock": True, "latency_ns": 500000},
        "COMPILE_OPENVINO": PLAIN | DIES,
        "COMPILE_INDUCTOR_DEFAULT": PLAIN | UNFIT,
    },
}
ORDER = [
    f"{name}@fake"
    for name in ("COMPILE_OPENVINO", "EAGER", "COMPILE_INDUCTOR_DEFAULT", "ONNX_CPU")
]


def run(*arguments: str, status: int, model: str = "simplecnn") -> dict[str, str]:
    """The standard output and the files written, by extension."""
    with tempfile.TemporaryDirectory(prefix="assay-contract-") as folder:
        environment = os.environ | {
            "ASSAY_HOME": f"{folder}/home",
            "ASSAY_TEST_ENGINES": "1",
            "ASSAY_TEST_OPTIONS": json.dumps(SCRIPT),
        }
        files = {ext: pathlib.Path(folder) / f"r.{ext}" for ext in ("json", "csv", "md")}
        outputs = [part for path in files.values() for part in ("--output", str(path))]
        command = [PROGRAMS / "assay", "run", model, "--format", "json", "--quiet"]
        done = subprocess.run(
            [*command, *arguments, *outputs], env=environment, capture_output=True, text=True
        )
        if done.returncode != status:
            raise AssertionError(f"status {done.returncode}: {done.stderr}")
        written = {ext: path.read_bytes().decode() for ext, path in files.items()}
        return {"stdout": done.stdout} | written


class ContractTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls) -> None:
        cls.written = run(
            "--conversions", ",".join(ORDER), "--max-seconds", "6", "--processes", "2", status=1
        )
        cls.record = json.loads(cls.written["json"])
        cls.arms = {arm["conversion"]: arm for arm in cls.record["arms"]}

    def fits(self, value, kind, where: str, null: bool = False) -> None:
        """null  every field below may be null, but none may be absent"""
        if isinstance(kind, tuple) and kind[0] == "maybe":
            kind, null = kind[1], True
        if value is None:
            self.assertTrue(null, f"{where} is null")
        elif isinstance(kind, dict):
            self.assertIsInstance(value, dict, where)
            self.assertLessEqual(kind.keys(), value.keys(), where)
            for key, inner in kind.items():
                self.fits(value[key], inner, f"{where}.{key}")
        elif isinstance(kind, list):
            self.assertIsInstance(value, list, where)
            for i, item in enumerate(value):
                self.fits(item, kind[0], f"{where}[{i}]")
        else:
            self.assertIsInstance(value, kind, where)
            self.assertEqual(isinstance(value, bool), kind is bool, where)
            if isinstance(value, float):
                self.assertTrue(math.isfinite(value), where)

    def test_every_key_of_a_run_is_there(self) -> None:
        self.fits(self.record, RUN, "run")
        self.assertEqual(self.record["schema"], "assay.run/1")
        self.assertRegex(self.record["started"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d")
        self.assertEqual(self.record["command"][:3], ["assay", "run", "simplecnn"])
        self.assertIn(self.record["trust"]["verdict"], ("ok", "mistrusted"))
        self.assertRegex(self.record["model"]["sha256"], r"^[0-9a-f]{64}$")
        self.assertEqual(self.record["model"]["parameters"], 1008618)
        self.assertEqual(self.record["model"]["inputs"][0]["shape"], [1, 3, 224, 224])

    def test_arms_stand_in_the_order_asked_for(self) -> None:
        self.assertEqual([arm["conversion"] for arm in self.record["arms"]], ORDER)
        rows = list(csv.DictReader(io.StringIO(self.written["csv"])))
        self.assertEqual([row["conversion"] for row in rows], ORDER)
        cells = re.findall(r"^\| (\S+@fake) \|", self.written["md"], re.MULTILINE)
        self.assertEqual(cells[: len(ORDER)], ORDER)

    def test_measured_arms_have_every_field(self) -> None:
        for name in ("EAGER@fake", "ONNX_CPU@fake"):
            arm = self.arms[name]
            self.fits(arm, MEASURED, name)
            self.assertEqual((arm["outcome"], arm["metric"]), ("measured", "latency"))
            stops = ("precision", "samples", "rounds", "decided", "budget", "cut", "interrupted")
            self.assertIn(arm["stopped"], stops)
            latency = arm["latency_ms"]
            self.assertLessEqual(latency["min"], latency["median"])
            self.assertLessEqual(latency["ci95"][0], latency["ci95"][1])
            self.assertEqual(len(arm["samples_ms"]), latency["n"])
            self.assertGreaterEqual(arm["timed"], latency["n"])

    def test_unmeasured_arms_have_nulls_but_no_key_less(self) -> None:
        for name, outcome in (
            ("COMPILE_OPENVINO@fake", "crashed"),
            ("COMPILE_INDUCTOR_DEFAULT@fake", "unsupported"),
        ):
            arm = self.arms[name]
            self.assertLessEqual(MEASURED.keys(), arm.keys())
            self.assertEqual((arm["outcome"], arm["stage"]), (outcome, "load"))
            self.assertNotEqual(arm["reason"], "")
            self.assertIsNone(arm["latency_ms"])
            self.assertIsNone(arm["speedup"])
            self.assertIsNone(arm["throughput_per_s"])
            self.assertIsNone(arm["peak_rss_bytes"])
            for key in ALWAYS:
                self.assertIsNotNone(arm[key], key)

    def test_the_baseline_is_eager_and_a_ratio_above_one_is_faster(self) -> None:
        self.assertEqual(self.record["baseline"], "EAGER@fake")
        self.assertIsNone(self.arms["EAGER@fake"]["speedup"])
        speedup = self.arms["ONNX_CPU@fake"]["speedup"]
        self.fits(speedup, SPEEDUP, "speedup")
        self.assertEqual(speedup["vs"], "EAGER@fake")
        self.assertGreater(speedup["ratio"], 1)
        self.assertEqual(self.record["recommendation"]["conversion"], "ONNX_CPU@fake")

    def test_a_python_model_has_the_same_record(self) -> None:
        if not (PROGRAMS / "assay-capture-module").exists():
            self.skipTest("this build has no Python engine")
        file = pathlib.Path(__file__).resolve().parent / "modules" / "branching.py"
        written = run(
            "--conversions", "EAGER@fake,ONNX_CPU@fake", "--max-seconds", "30",
            "--processes", "2", status=0, model=f"python:{file}:Branching",
        )  # fmt: skip
        record = json.loads(written["json"])
        self.fits(record, RUN, "run")
        model = record["model"]
        self.assertEqual((model["source"], model["name"]), ("python", "Branching"))
        self.assertEqual((model["parameters"], model["batch_size"]), (2 * (8 * 4 + 4), 16))
        self.assertEqual(model["macs"], 16 * 8 * 4)  # of the branch taken
        self.assertRegex(model["sha256"], r"^[0-9a-f]{64}$")
        for arm in record["arms"]:
            self.fits(arm, MEASURED, arm["conversion"])
            self.assertEqual(arm["output"]["reference"], "module-fp64")

    def test_standard_output_is_the_file(self) -> None:
        self.assertEqual(self.written["stdout"], self.written["json"])


if __name__ == "__main__":
    PROGRAMS = pathlib.Path(sys.argv.pop(1)).resolve()
    unittest.main(verbosity=2)
