"""Quanto's extension: a builder that was interrupted leaves locks, and the next one goes on."""

from __future__ import annotations

import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import unittest
from unittest import mock

from . import quanto_extension
from .protocol import Job

# A builder that was killed: PyTorch's lock is a file that stays, ours is the kernel's.
_HOLDER = """
import fcntl, sys, time
lock = open(sys.argv[1], "w")
fcntl.flock(lock, fcntl.LOCK_EX)
print("held", flush=True)
time.sleep(600)
"""


class LockTest(unittest.TestCase):
    def setUp(self) -> None:
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.home = pathlib.Path(temporary.name)
        self.seen: list[bool] = []  # whether PyTorch's lock lay there when it was built
        for patch in (
            mock.patch.dict(os.environ, {"TORCH_EXTENSIONS_DIR": str(self.home)}),
            mock.patch.object(quanto_extension, "_version", lambda: "1"),
            mock.patch.object(quanto_extension, "_build_in", self.compile),
        ):
            patch.start()
            self.addCleanup(patch.stop)
        self.place = self.home / "quanto_cpp-1"

    def compile(self, place: pathlib.Path) -> None:
        self.seen.append((place / "lock").exists())
        (place / "quanto_cpp.so").write_text("library")

    def build(self, name: str) -> list[str]:
        artifact = self.home / name
        artifact.mkdir()
        job = mock.Mock(spec=Job, artifact=str(artifact))
        notes = quanto_extension.build(job)
        self.assertEqual((artifact / "extension" / "quanto_cpp.so").read_text(), "library")
        return notes

    def test_it_is_built_once(self) -> None:
        self.assertEqual(len(self.build("one")), 1)
        self.assertEqual(self.build("two"), [])
        self.assertEqual(self.seen, [False])

    def test_the_locks_of_a_builder_that_was_killed_hold_nobody(self) -> None:
        self.place.mkdir()
        (self.place / "lock").touch()
        (self.place / "quanto_cpp.so").write_text("half of it")
        held = str(self.place) + ".lock"
        with subprocess.Popen(
            [sys.executable, "-c", _HOLDER, held], stdout=subprocess.PIPE
        ) as holder:
            assert holder.stdout is not None
            self.assertEqual(holder.stdout.readline(), b"held\n")
            holder.send_signal(signal.SIGKILL)
            holder.wait()
        self.assertEqual(len(self.build("next")), 1)
        self.assertEqual(self.seen, [False], "PyTorch would wait for it without end")


if __name__ == "__main__":
    unittest.main()
