#!/usr/bin/env python3
"""Writes what runs of everything showed into the table of docs/conversions.md.

  assay run simplecnn --tier 3 --output simplecnn.json     (all on one machine)
  assay run simplecnn --conversions EAGER,FP16+* --output simplecnn_fp16.json
  assay run resnet18 --tier 3 --output resnet18.json
  tools/conversions_table.py simplecnn.json simplecnn_fp16.json resnet18.json

The records of a model give a column, of each arm the last that ran it: speedup over EAGER and
relative error of the outputs of an arm that was measured, else what became of it. Columns that stand
there already are replaced.
"""

import json
import pathlib
import re
import sys

PAGE = pathlib.Path(__file__).resolve().parent.parent / "docs" / "conversions.md"
HEADING = "## All of them"
ROW = re.compile(r"\| (\d+) \| `([^`]+)` \|")
KEPT_BEFORE, KEPT_AFTER = 4, 1  # columns on either side of the records'


def tried(arm: dict) -> bool:
    return arm["outcome"] != "unsupported" or bool(arm["stage"])


def shown(arm: dict) -> str:
    if arm["outcome"] == "unsupported":
        return f"unsupported: {arm['reason']}" if tried(arm) else "-"
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
    columns: dict[str, dict] = {}
    for run in runs:
        arms = columns.setdefault(run["model"]["name"], {})
        arms.update((a["conversion"], a) for a in run["arms"] if tried(a) or a["conversion"] not in arms)
    before, heading, table = PAGE.read_text().partition(HEADING)
    lines = []
    for line in table.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        row = ROW.match(line)
        if row:
            of_row = [arms.get(row[2]) for arms in columns.values()]
            own = [shown(arm).replace("|", "/") if arm else "" for arm in of_row]
        else:
            own = list(columns) if cells[0] == "id" else ["---"] * len(columns)
        if row and not cells[-1] and set(own) == {"-"}:
            cells[-1] = of_row[0]["reason"]
        if line.startswith("|"):
            line = "| " + " | ".join(cells[:KEPT_BEFORE] + own + cells[-KEPT_AFTER:]) + " |"
        lines.append(line)
    PAGE.write_text(before + heading + "\n".join(lines) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
