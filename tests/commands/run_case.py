#!/usr/bin/env python3
"""Runs one case: commands with the exit status and the patterns that they must show.

Usage: run_case.py CASE PROGRAM_FOLDER

A case is a text file of steps:

    # a comment
    env NAME=VALUE            for the steps that follow
    $ assay run resnet19      a bash command, in a fresh folder; `assay` is the program
    status 2                  the exit status (0 when not said)
    stderr no model 'resnet19'        a regular expression that must be found, over lines
    stdout! \\S                one that must not be

Each case has a home folder of its own (ASSAY_HOME); $RECORDS is the folder of saved records, $MODULES
that of Python models.
"""

import os
import pathlib
import re
import subprocess
import sys
import tempfile

SECONDS = 300
SECONDS_WHEN_SLOW = 3300  # of cases whose name begins with slow_


class Step:
    def __init__(self, command: str, variables: dict[str, str], line: int) -> None:
        self.command, self.variables, self.line = command, dict(variables), line
        self.status = 0
        self.patterns: list[tuple[str, bool, str]] = []  # stream, wanted, pattern


def parse(text: str) -> list[Step]:
    steps: list[Step] = []
    variables: dict[str, str] = {}
    for number, line in enumerate(text.splitlines(), 1):
        word, _, rest = line.partition(" ")
        if not line.strip() or word.startswith("#"):
            continue
        if word == "env":
            name, _, value = rest.partition("=")
            variables[name] = value
        elif word == "$":
            steps.append(Step(rest, variables, number))
        elif word == "status":
            steps[-1].status = int(rest)
        elif word.rstrip("!") in ("stdout", "stderr"):
            steps[-1].patterns.append((word.rstrip("!"), not word.endswith("!"), rest))
        else:
            sys.exit(f"line {number}: '{word}' means nothing")
    return steps


def failures(step: Step, folder: str, environment: dict[str, str], seconds: int) -> list[str]:
    done = subprocess.run(
        ["bash", "-c", step.command],
        cwd=folder,
        env=environment | step.variables,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=seconds,
    )
    streams = {"stdout": done.stdout.decode(), "stderr": done.stderr.decode()}
    found = []
    if done.returncode != step.status:
        found.append(f"status {done.returncode}, not {step.status}")
    for stream, wanted, pattern in step.patterns:
        if bool(re.search(pattern, streams[stream], re.MULTILINE | re.DOTALL)) != wanted:
            found.append(f"{stream} {'lacks' if wanted else 'has'} /{pattern}/")
    if found:
        found += [f"--- {name}\n{text}" for name, text in streams.items()]
    return found


def main() -> int:
    case, programs = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]).resolve()
    with tempfile.TemporaryDirectory(prefix="assay-case-") as folder:
        environment = os.environ | {
            "PATH": f"{programs}:{pathlib.Path(sys.executable).parent}:{os.environ['PATH']}",
            "ASSAY_HOME": f"{folder}/home",
            "RECORDS": str(case.resolve().parent.parent / "records"),
            "MODULES": str(case.resolve().parent.parent / "modules"),
        }
        work = pathlib.Path(folder) / "work"
        work.mkdir()
        seconds = SECONDS_WHEN_SLOW if case.name.startswith("slow_") else SECONDS
        for step in parse(case.read_text()):
            found = failures(step, str(work), environment, seconds)
            if found:
                print(f"{case}:{step.line}: $ {step.command}", *found, sep="\n")
                return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
