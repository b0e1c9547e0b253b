#!/usr/bin/env python3
"""Checks that no include points against the order of the rooms in src/CMakeLists.txt.

Usage: tools/check_rooms.py SRC. Prints one line for each include that does, and ends with 1.
"""

import pathlib
import re
import sys

# What each room may include besides itself. Engines are programs: nothing includes them.
PURE = ["base", "tensor"]
ALLOWED = {
    "base": [],
    "tensor": ["base"],
    "stats": ["base"],
    "model": PURE,
    "zoo": PURE + ["model"],
    "aten": PURE + ["model"],
    "conversion": ["base"],
    "record": PURE,
    "hardware": ["base", "record"],
    "predict": PURE + ["model", "hardware"],
    "engine": PURE + ["stats"],
    "engines": PURE + ["stats", "engine", "aten", "conversion"],
    "campaign": PURE
    + ["stats", "model", "aten", "conversion", "record", "hardware", "predict", "engine"],
    "report": PURE + ["stats", "conversion", "record", "hardware", "predict"],
    "view": PURE + ["model", "aten", "report"],
}
INCLUDE = re.compile(r'^\s*#include "(\w+)/', re.MULTILINE)


def violations(src: pathlib.Path) -> list[str]:
    found = []
    for file in sorted(src.rglob("*.h")) + sorted(src.rglob("*.cc")):
        room = file.relative_to(src).parts[0]
        if room == "cli":
            continue
        for included in INCLUDE.findall(file.read_text()):
            if included in ALLOWED and included not in [room, *ALLOWED[room]]:
                found.append(f"{file}: room '{room}' may not include '{included}'")
    return found


def main() -> int:
    found = violations(pathlib.Path(sys.argv[1]))
    print(*found, sep="\n", end="\n" if found else "")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
