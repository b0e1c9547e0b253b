#!/usr/bin/env python3
"""Writes what two runs of everything showed into the table of docs/conversions.md.

  assay run simplecnn --tier 3 --output simplecnn.json     (both on one machine)
  assay run resnet18 --tier 3 --output resnet18.json
  tools/conversions_table.py simplecnn.json resnet18.json

Each record gives a column: speedup over EAGER and relative error of the outputs of an arm that was
measured, else what became of it. Columns that stand there already are replaced.
"""

import json
import pathlib
import re
import sys

PAGE = pathlib.Path(__file__).resolve().parent.parent / "docs" / "conversions.md"
HEADING = "## All of them"
ROW = re.compile(r"\| (\d+) \| `([^`]+)` \|")
KEPT_BEFORE, KEPT_AFTER = 4, 1  # columns on either side of the records'


def shown(arm: dict) -> str:
    if arm["outcome"] == "unsupported":
        return f"unsupported: {arm['reason']}" if arm["stage"] else "-"
    ratio = "1" if arm["speedup"] is None else f"{arm['speedup']['ratio']:.2g}"
    error = arm["output"] and arm["output"]["relative_l2"]
    text = f"{ratio}x" if arm["latency_ms"] else ""
    text += f", {error:.1e}" if error is not None else ""
    if arm["output"] and arm["output"]["verdict"] == "unchecked":
        text += " (not judged)"
    if arm["stopped"] == "cut":
        text += ", cut"
    return text if arm["outcome"] == "measured" else f"{arm['outcome'].replace('_', ' ')}: {text or arm['reason']}"


def main(paths: list[str]) -> int:
    if not paths:
        print(__doc__, file=sys.stderr)
        return 2
    runs = [json.loads(pathlib.Path(path).read_text()) for path in paths]
    arms = [{arm["conversion"]: arm for arm in run["arms"]} for run in runs]
    names = [run["model"]["name"] for run in runs]
    before, heading, table = PAGE.read_text().partition(HEADING)
    lines = []
    for line in table.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        row = ROW.match(line)
        if row:
            own = [shown(of[row[2]]).replace("|", "/") if row[2] in of else "" for of in arms]
        else:
            own = names if cells[0] == "id" else ["---"] * len(runs)
        if row and not cells[-1] and set(own) == {"-"}:
            cells[-1] = arms[0][row[2]]["reason"]
        if line.startswith("|"):
            line = "| " + " | ".join(cells[:KEPT_BEFORE] + own + cells[-KEPT_AFTER:]) + " |"
        lines.append(line)
    PAGE.write_text(before + heading + "\n".join(lines) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
