#!/usr/bin/env python3
"""Files at the edges of what a user may bring: each runs, or ends with one clear line.

Usage: edge_cases_test.py PROGRAM_FOLDER fake|runtimes

fake      what assay itself does with them, in seconds; the engine is the fake one
runtimes  the large ones under the runtimes; minutes, and 12 GB of memory
"""

import json
import math
import os
import pathlib
import resource
import subprocess
import sys
import tempfile
import unittest

import edge_models

PROGRAMS = pathlib.Path()
ONE_LINE = r"\A[^\n]*{}[^\n]*\n(  (hint|more): [^\n]*\n)*\Z"
MB, GB = 10**6, 10**9
SANITIZED = bool(os.environ.get("ASSAY_TEST_SANITIZED"))  # wants far more memory


class EdgeTest(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory(prefix="assay-edge-")
        self.addCleanup(folder.cleanup)
        self.work = pathlib.Path(folder.name)

    def assay(self, *arguments: object, limit_bytes: int | None = None) -> subprocess.CompletedProcess:
        """limit_bytes  of data that the program may have, mapped files not counted (RLIMIT_DATA)"""
        environment = os.environ | {
            "ASSAY_HOME": str(self.work / "home"),
            "ASSAY_TEST_ENGINES": "1",
            "ASSAY_TEST_OPTIONS": json.dumps({"default": {"latency_ns": 1000000}}),
        }

        def limit() -> None:
            if limit_bytes is not None and not SANITIZED:
                resource.setrlimit(resource.RLIMIT_DATA, (limit_bytes, limit_bytes))

        return subprocess.run([PROGRAMS / "assay", *map(str, arguments)], env=environment, cwd=self.work,
                              capture_output=True, text=True, timeout=800, preexec_fn=limit)  # fmt: skip

    def run_arms(self, model: pathlib.Path, conversions: str, **options) -> tuple[list[dict], str]:
        done = self.assay("run", model, "--conversions", conversions, "--processes", 1, "--max-seconds",
                          2, "--samples", 3, "--baseline-runs", 3, "--format", "json", **options)  # fmt: skip
        self.assertIn(done.returncode, (0, 1), done.stderr)
        return json.loads(done.stdout)["arms"], done.stderr

    def assert_refused(self, model: pathlib.Path, status: int, words: str) -> None:
        done = self.assay("run", model, "--conversions", "EAGER@fake")
        self.assertEqual((done.returncode, done.stdout), (status, ""), done.stderr)
        self.assertRegex(done.stderr, ONE_LINE.format(words))


class FakeEngine(EdgeTest):
    def assert_measured(self, model: pathlib.Path, **options) -> None:
        arms, story = self.run_arms(model, "EAGER@fake", **options)
        self.assertEqual([arm["outcome"] for arm in arms], ["measured"], story)

    def test_weights_of_a_gigabyte_and_a_half_are_mapped(self) -> None:
        model = edge_models.large(self.work / "m.onnx", 19_400)
        self.assertGreater((self.work / "large.bin").stat().st_size, 1.5 * GB)
        self.assert_measured(model, limit_bytes=300 * MB)

    def test_weights_beyond_two_gigabytes_are_mapped(self) -> None:
        model = edge_models.large(self.work / "m.onnx", 23_500)
        self.assertGreater((self.work / "large.bin").stat().st_size, 2.2 * GB)
        self.assert_measured(model, limit_bytes=300 * MB)

    def test_weights_inside_a_large_file_are_mapped_once_they_have_been_copied(self) -> None:
        model = edge_models.large_inside(self.work / "m.onnx", 9000)  # 324 MB
        self.assert_measured(model, limit_bytes=1200 * MB)
        self.assert_measured(model, limit_bytes=300 * MB)

    def test_a_file_beyond_what_onnx_allows_says_so(self) -> None:
        model = self.work / "m.onnx"
        with model.open("wb") as file:
            file.truncate(2**31)
        self.assert_refused(model, 2, r"m.onnx has 2147483648 bytes, more than an ONNX file can have")

    def test_five_thousand_nodes(self) -> None:
        self.assert_measured(edge_models.many_nodes(self.work / "m.onnx", 5000))

    def test_export_of_five_thousand_nodes(self) -> None:
        done = self.assay("export", edge_models.many_nodes(self.work / "m.onnx", 5000), "out")
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_a_batch_of_none(self) -> None:
        model = edge_models.linear(self.work / "m.onnx", 0, 1)
        self.assert_refused(model, 2, r"the input 'x' of 'm' is 0x3: there is nothing to compute")

    def test_an_input_without_elements(self) -> None:
        self.assert_measured(edge_models.empty_past(self.work / "m.onnx"))

    def test_what_only_runtimes_read(self) -> None:
        for make in (edge_models.other_domain, edge_models.branch, edge_models.loop):
            with self.subTest(make.__name__):
                self.assert_measured(make(self.work / "m.onnx"))


class Runtimes(EdgeTest):
    ALL = "EAGER,ONNX_CPU,COMPILE_OPENVINO"

    def outcomes(self, model: pathlib.Path) -> dict[str, tuple[str, str]]:
        """By conversion: outcome and verdict on the outputs; each says in words what is not well."""
        arms, story = self.run_arms(model, self.ALL)
        for arm in arms:
            if arm["outcome"] != "measured":
                self.assertRegex(arm["reason"], r"\A[^\n]+\Z", story)
        self.reasons = [arm["reason"] for arm in arms]
        return {arm["conversion"]: (arm["outcome"], (arm["output"] or {}).get("verdict")) for arm in arms}

    def assert_all(self, model: pathlib.Path, outcome: str, verdict: str | None) -> None:
        expected = dict.fromkeys(self.ALL.split(","), (outcome, verdict))
        self.assertEqual(self.outcomes(model), expected)

    def test_weights_of_a_gigabyte_and_a_half(self) -> None:
        self.assert_all(edge_models.large(self.work / "m.onnx", 19_400), "measured", "pass")

    def test_weights_beyond_two_gigabytes(self) -> None:
        self.assert_all(edge_models.large(self.work / "m.onnx", 23_500), "measured", "pass")

    def test_five_thousand_nodes(self) -> None:
        self.assert_all(edge_models.many_nodes(self.work / "m.onnx", 5000), "measured", "pass")

    def test_an_input_without_elements(self) -> None:
        self.assert_all(edge_models.empty_past(self.work / "m.onnx"), "measured", "pass")

    def test_weights_that_are_no_numbers(self) -> None:
        self.assert_all(edge_models.linear(self.work / "m.onnx", 1, math.nan), "mistrusted", "mistrusted")
        self.assertEqual(
            set(self.reasons), {"with random inputs this model gives NaN in every runtime: give --input"}
        )


if __name__ == "__main__":
    PROGRAMS = pathlib.Path(sys.argv[1]).resolve()
    suite = {"fake": FakeEngine, "runtimes": Runtimes}[sys.argv[2]]
    tests = unittest.defaultTestLoader.loadTestsFromTestCase(suite)
    sys.exit(not unittest.TextTestRunner(verbosity=2).run(tests).wasSuccessful())
