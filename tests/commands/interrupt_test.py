#!/usr/bin/env python3
"""What signals do to a run: its status, its record, and that no process of it is left.

Usage: interrupt_test.py PROGRAM_FOLDER

Everything runs on the fake engine. Processes of a run are those that carry its ASSAY_HOME in their
environment, whoever their parent is by then.
"""

import fcntl
import json
import os
import pathlib
import pty
import select
import signal
import struct
import subprocess
import sys
import tempfile
import termios
import time
import unittest

PROGRAMS = pathlib.Path()
PATIENCE = 60  # seconds until something awaited counts as missing
TWO_ARMS = ["--conversions", "EAGER@fake,ONNX_CPU@fake"]
ENDLESS = ["--max-seconds", "0", "--samples", "100000000", "--processes", "1", "--verbose"]


def script(**onnx: object) -> str:
    plain = {"latency_ns": 1000000}
    return json.dumps({"default": plain, "arms": {"ONNX_CPU": plain | onnx}})


def processes(home: str) -> dict[int, str]:
    """Pid and command line of all that runs with this home folder."""
    found = {}
    for entry in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            environment = (entry / "environ").read_bytes().split(b"\0")
            command = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode()
        except OSError:
            continue
        if f"ASSAY_HOME={home}".encode() in environment:
            found[int(entry.name)] = command
    return found


def state(pid: int) -> str:
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return "gone"


def pending(pid: int, number: int) -> bool:
    """Whether the signal waits to be taken."""
    lines = pathlib.Path(f"/proc/{pid}/status").read_text().splitlines()
    masks = [int(line.split()[1], 16) for line in lines if line.startswith(("SigPnd", "ShdPnd"))]
    return any(mask >> (number - 1) & 1 for mask in masks)


def cpu_ticks(pid: int) -> int:
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


class RunTest(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory(prefix="assay-signals-")
        self.addCleanup(folder.cleanup)
        self.work = pathlib.Path(folder.name)
        self.home = f"{folder.name}/home"
        self.story = self.work / "stderr"
        self.addCleanup(self.kill_rest)

    def kill_rest(self) -> None:
        for pid in processes(self.home):
            os.kill(pid, signal.SIGKILL)

    def start(self, *arguments: str, options: str = script(), **more) -> subprocess.Popen:
        environment = os.environ | more.pop("variables", {}) | {
            "ASSAY_HOME": self.home,
            "ASSAY_TEST_ENGINES": "1",
            "ASSAY_TEST_OPTIONS": options,
        }
        form = more.pop("form", "json")
        command = [PROGRAMS / "assay", "run", "simplecnn", "--format", form, *arguments]
        with self.story.open("w") as story:
            pipes = {"stdout": subprocess.PIPE, "stderr": story} | more
            return subprocess.Popen(
                command, cwd=self.work, env=environment, stdin=subprocess.DEVNULL, **pipes
            )

    def until(self, what: str, holds) -> None:
        deadline = time.monotonic() + PATIENCE
        while not holds():
            self.assertLess(time.monotonic(), deadline, f"{what}: {processes(self.home)}")
            time.sleep(0.02)

    def workers(self) -> list[int]:
        return sorted(
            pid for pid, command in processes(self.home).items() if "assay-engine-fake" in command
        )

    def measuring(self) -> list[int]:
        """Waits until a --verbose run has timed every arm; the workers' pids."""
        self.until("rounds begin", lambda: "timing  round" in self.story.read_text())
        workers = self.workers()
        before = {pid: cpu_ticks(pid) for pid in workers}

        def all_timed() -> bool:
            # 10 ms a tick: more than a slice takes.
            return all(cpu_ticks(pid) > ticks + 40 for pid, ticks in before.items())

        self.until("every arm is timed", all_timed)
        return workers

    def ends(self, run: subprocess.Popen, status: int) -> tuple[str, str]:
        out, _ = run.communicate(timeout=PATIENCE)
        err = self.story.read_text()
        self.assertEqual(run.returncode, status, err)
        self.until("no process is left", lambda: not processes(self.home))
        return out.decode(), err


class SignalTest(RunTest):
    def test_ctrl_c_writes_what_was_measured(self) -> None:
        for number, status in ((signal.SIGINT, 130), (signal.SIGTERM, 143)):
            with self.subTest(signal=number.name):
                run = self.start(*TWO_ARMS, *ENDLESS, "--output", "r.json", "--output", "r.md")
                self.measuring()
                run.send_signal(number)
                out, _ = self.ends(run, status)
                shown = json.loads(out)
                self.assertEqual(shown, json.loads((self.work / "r.json").read_text()))
                self.assertIn("EAGER@fake", (self.work / "r.md").read_text())
                for arm in shown["arms"]:
                    self.assertEqual((arm["outcome"], arm["stopped"]), ("measured", "interrupted"))
                    self.assertGreater(arm["timed"], 0)
                    self.assertGreater(arm["latency_ms"]["median"], 0.9)

    def test_ctrl_c_reaches_the_whole_group(self) -> None:
        run = self.start(*TWO_ARMS, *ENDLESS, process_group=0)
        self.measuring()
        os.killpg(run.pid, signal.SIGINT)  # as a terminal does it
        out, _ = self.ends(run, 130)
        self.assertEqual(
            [arm["stopped"] for arm in json.loads(out)["arms"]], ["interrupted", "interrupted"]
        )

    def test_ctrl_c_in_load_leaves_arms_unmeasured(self) -> None:
        hang = script(misbehave=[{"stage": "load", "how": "hang_hard"}])
        run = self.start(*TWO_ARMS, *ENDLESS, options=hang)
        self.until("a worker", self.workers)
        run.send_signal(signal.SIGINT)
        out, _ = self.ends(run, 130)
        arms = json.loads(out)["arms"]
        self.assertEqual([arm["conversion"] for arm in arms], ["EAGER@fake", "ONNX_CPU@fake"])
        self.assertNotIn("measured", [arm["outcome"] for arm in arms])

    def test_the_same_signal_twice_at_once_is_one(self) -> None:
        # timeout(1) signals its child and then its group, which the child is in.
        for number, status in ((signal.SIGINT, 130), (signal.SIGTERM, 143)):
            with self.subTest(signal=number.name):
                run = self.start(*TWO_ARMS, *ENDLESS)
                self.measuring()
                run.send_signal(number)
                self.until("it is taken", lambda: not pending(run.pid, number))
                run.send_signal(number)
                out, _ = self.ends(run, status)
                self.assertEqual(json.loads(out)["arms"][0]["stopped"], "interrupted")

    def test_second_ctrl_c_ends_a_run_that_hangs(self) -> None:
        hang = script(misbehave=[{"stage": "infer", "how": "hang_hard", "after": 200}])
        run = self.start(*TWO_ARMS, *ENDLESS, options=hang)
        self.until("both arms", lambda: len(self.workers()) == 2)
        time.sleep(1)
        run.send_signal(signal.SIGINT)
        time.sleep(0.1)
        if run.poll() is None:
            run.send_signal(signal.SIGINT)
        self.ends(run, 130)

    def test_killing_the_program_leaves_no_worker(self) -> None:
        for stopped in (False, True):
            with self.subTest(stopped=stopped):
                run = self.start(*TWO_ARMS, *ENDLESS)
                self.measuring()
                if stopped:
                    run.send_signal(signal.SIGSTOP)
                    self.until("stop", lambda: state(run.pid) == "T")
                run.kill()
                self.ends(run, -signal.SIGKILL)

    def test_killing_the_program_ends_workers_that_ignore_signals(self) -> None:
        hang = script(misbehave=[{"stage": "load", "how": "hang_hard"}])
        run = self.start("--conversions", "ONNX_CPU@fake", options=hang)
        self.until("a worker", self.workers)
        run.kill()
        self.ends(run, -signal.SIGKILL)

    def test_worker_killed_from_outside_is_crashed_and_others_are_measured(self) -> None:
        run = self.start(*TWO_ARMS, "--max-seconds", "6", "--processes", "1", "--verbose")
        # Workers are started in the order asked for.
        os.kill(self.measuring()[1], signal.SIGKILL)
        out, err = self.ends(run, 1)
        eager, onnx = json.loads(out)["arms"]
        self.assertEqual((eager["outcome"], onnx["outcome"]), ("measured", "crashed"))
        self.assertIn("SIGKILL", onnx["reason"])
        self.assertEqual(json.loads(out)["recommendation"]["conversion"], "EAGER@fake")
        self.assertRegex(err, "ONNX_CPU@fake.*SIGKILL")

    def test_grandchildren_end_with_the_run(self) -> None:
        orphan = script(misbehave=[{"stage": "load", "how": "grandchild"}])
        run = self.start(*TWO_ARMS, "--max-seconds", "2", "--processes", "1", options=orphan)
        self.ends(run, 0)

    def test_stopping_and_continuing_goes_on(self) -> None:
        run = self.start(*TWO_ARMS, "--max-seconds", "4", "--processes", "1")
        self.until("both arms", lambda: len(self.workers()) == 2)
        run.send_signal(signal.SIGTSTP)
        time.sleep(1)
        run.send_signal(signal.SIGCONT)
        self.ends(run, 0)


class ResumeTest(RunTest):
    TWELVE_ROUNDS = [*TWO_ARMS, "--samples", "60", "--baseline-runs", "60", "--verbose",
                     "--precision-target", "50"]  # fmt: skip

    def kill_in_round(self, number: int) -> None:
        run = self.start(*self.TWELVE_ROUNDS)
        self.until("rounds", lambda: f"round {number} of 12" in self.story.read_text())
        run.kill()
        self.ends(run, -signal.SIGKILL)

    def test_a_killed_run_goes_on_and_ends_as_one(self) -> None:
        self.kill_in_round(1)  # told once in a generation: its first round, and that is all
        run = self.start(*self.TWELVE_ROUNDS, "--resume")
        out, err = self.ends(run, 0)
        self.assertRegex(err, r"goes on with the run that began at .*: \d+ rounds are done")
        arms = json.loads(out)["arms"]
        self.assertEqual([arm["conversion"] for arm in arms], ["EAGER@fake", "ONNX_CPU@fake"])
        self.assertEqual(arms[1]["speedup"]["rounds"], 12)
        self.assertEqual([], list(pathlib.Path(self.home, "journals").iterdir()))

    def test_another_command_is_refused(self) -> None:
        self.kill_in_round(5)
        run = self.start(*self.TWELVE_ROUNDS, "--threads", "1", "--seed", "1", "--resume")
        _, err = self.ends(run, 2)
        self.assertRegex(err, "the interrupted run of simplecnn had .*, now it is ")
        self.assertRegex(err, "without it all is measured anew")
        self.ends(self.start(*self.TWELVE_ROUNDS), 0)


class TerminalTest(RunTest):
    """On a pseudo-terminal of 80 columns."""

    def on_terminal(self, *arguments: str, stream: str = "stderr", **more) -> str:
        """What the terminal receives from one stream; the other is no terminal."""
        ours, theirs = pty.openpty()
        self.addCleanup(os.close, ours)
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
        interrupt = more.pop("interrupt", False)
        streams = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL} | {stream: theirs}
        run = self.start(*TWO_ARMS, "--processes", "1", *arguments, **streams, **more)
        os.close(theirs)
        received = b""
        while True:
            self.assertTrue(select.select([ours], [], [], PATIENCE)[0], received)
            try:
                received += os.read(ours, 65536)
            except OSError:
                break  # closed by the last process that held it
            if interrupt and b"round" in received and run.poll() is None:
                interrupt = False
                run.send_signal(signal.SIGINT)
        run.wait(PATIENCE)
        return received.decode()

    def shown(self, text: str) -> list[str]:
        """The lines that stay: of each, what was written after it was last erased."""
        lines = text.replace("\r\n", "\n").split("\n")
        for line in lines:
            for drawn in line.split("\r\x1b[K")[:-1]:
                self.assertLess(len(drawn), 80, drawn)  # or it would take two rows
        return [line.split("\r\x1b[K")[-1] for line in lines]

    def test_progress_line_leaves_nothing_behind(self) -> None:
        text = self.on_terminal("--max-seconds", "3")
        self.assertRegex(text, r"timing  round \d+ of \d+  2 arms .*\d:\d\d left")
        record, last = self.shown(text)
        self.assertRegex(record, r"^assay: record: .*json$")
        self.assertEqual(last, "")

    def test_interrupted_progress_line_leaves_nothing_behind(self) -> None:
        text = self.on_terminal("--max-seconds", "30", "--samples", "1000000", interrupt=True)
        told, record, last = self.shown(text)
        self.assertRegex(told, r"^assay: interrupted: the same command with --resume")
        self.assertRegex(record, r"^assay: record: .*json$")
        self.assertEqual(last, "")

    def test_verbose_lines_and_the_progress_line_do_not_mix(self) -> None:
        lines = self.shown(self.on_terminal("--max-seconds", "2", "--verbose"))
        for line in lines[:-1]:
            self.assertRegex(line, r"^assay: +\d+\.\d s  \S")

    def test_no_progress_line_when_not_wanted(self) -> None:
        text = self.on_terminal("--max-seconds", "2", "--no-progress")
        self.assertRegex(text, r"\Aassay: record: [^\r\n\x1b]*json\r\n\Z")

    def test_quiet_says_nothing(self) -> None:
        self.assertEqual(self.on_terminal("--max-seconds", "2", "--quiet"), "")

    def test_table_fits_the_width_and_obeys_no_color(self) -> None:
        arguments = ("--max-seconds", "2", "--quiet")
        colored = self.on_terminal(*arguments, stream="stdout", form="text")
        plain = self.on_terminal(
            *arguments, stream="stdout", form="text", variables={"NO_COLOR": "1"}
        )
        self.assertIn("\x1b[", colored)
        self.assertNotIn("\x1b", plain)
        for line in plain.split("\r\n"):
            if not line.startswith("  assay run"):  # commands are not broken: they are copied
                self.assertLessEqual(len(line), 80, line)


if __name__ == "__main__":
    PROGRAMS = pathlib.Path(sys.argv.pop(1)).resolve()
    unittest.main(verbosity=2)
