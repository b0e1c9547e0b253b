#!/usr/bin/env python3
"""A disk that is full, or fills while arms are measured: a small tmpfs in a mount namespace.

Usage: full_disk_test.py PROGRAM_FOLDER
"""

import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

PROGRAMS = pathlib.Path()
RUN = "assay run simplecnn --conversions EAGER@fake --processes 1 --output small/r.json"
FILL = "cat /dev/zero > small/fill 2>/dev/null"


def namespaces() -> bool:
    return subprocess.run(["unshare", "-rm", "true"], capture_output=True).returncode == 0


@unittest.skipUnless(namespaces(), "user namespaces are not allowed here")
class FullDiskTest(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory(prefix="assay-disk-")
        self.addCleanup(folder.cleanup)
        self.work = pathlib.Path(folder.name)

    def with_small_disk(self, command: str) -> subprocess.CompletedProcess:
        environment = os.environ | {
            "PATH": f"{PROGRAMS}:{os.environ['PATH']}",
            "ASSAY_HOME": str(self.work / "home"),
            "ASSAY_TEST_ENGINES": "1",
            "ASSAY_TEST_OPTIONS": json.dumps({"default": {"latency_ns": 1000000}}),
        }
        mount = "mkdir small && mount -t tmpfs -o size=4m none small"
        return subprocess.run(
            ["unshare", "-rm", "bash", "-c", f"{mount} && {{ {command}; }}"],
            cwd=self.work,
            env=environment,
            capture_output=True,
            text=True,
            timeout=120,
        )

    def test_full_disk_is_said_before_measuring(self) -> None:
        done = self.with_small_disk(f"{FILL}; {RUN}")
        self.assertEqual((done.returncode, done.stdout), (2, ""))
        self.assertRegex(done.stderr, r"the disk of output small/r.json has 0 B free")

    def test_disk_that_fills_later_loses_nothing(self) -> None:
        # A worker's folder appears when the outputs have been checked.
        wait = "until ls -A home/tmp 2>/dev/null | grep -q .; do sleep 0.05; done"
        done = self.with_small_disk(
            f"{RUN} --max-seconds 3 & run=$!; {wait}; {FILL}; wait $run; s=$?; ls -A small; exit $s"
        )
        self.assertEqual(done.returncode, 4, done.stderr)
        self.assertRegex(done.stderr, r"cannot write small/\S+: No space left on device")
        self.assertRegex(done.stdout, r"(?m)^EAGER@fake +measured")
        self.assertTrue(done.stdout.endswith("\nfill\n"), done.stdout)  # no half a file
        [kept] = (self.work / "home" / "records").iterdir()
        self.assertIn(str(kept), done.stderr)
        self.assertEqual(json.loads(kept.read_text())["arms"][0]["outcome"], "measured")

    def test_home_folder_on_a_full_disk_ends_in_one_line(self) -> None:
        done = self.with_small_disk(
            f"{FILL}; ASSAY_HOME=$PWD/small/home assay run simplecnn --conversions EAGER@fake"
        )
        self.assertEqual((done.returncode, done.stdout), (4, ""))
        self.assertRegex(done.stderr, r"\Aassay: error: [^\n]*No space left[^\n]*\n(  (hint|more)[^\n]*\n)*\Z")


if __name__ == "__main__":
    PROGRAMS = pathlib.Path(sys.argv.pop(1)).resolve()
    unittest.main(verbosity=2)
