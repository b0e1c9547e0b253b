"""Writes the fuzzers' corpus: one folder for each target, files that its reader takes or refuses.

usage: write_seeds.py FOLDER

Made here, by numpy and by the onnx wheel (seeds_onnx.py); besides them all of regressions/TARGET,
where every finding stays as text:
    NAME.onnxtxt    ONNX's own textual form (onnx.parser)
    NAME.textproto  protobuf's textual form of a ModelProto, for what the former cannot say
    NAME.hex        any bytes, as hexadecimal digits
    NAME.json       as it is
"""

from __future__ import annotations

import io
import json
import struct
import sys
from pathlib import Path

import numpy as np

import seeds_onnx

REGRESSIONS = Path(__file__).parent / "regressions"
RECORDS = Path(__file__).parents[1] / "commands" / "records"


def safetensors(header: dict | str, data: bytes = b"", length: int | None = None) -> bytes:
    text = (header if isinstance(header, str) else json.dumps(header)).encode()
    return struct.pack("<Q", len(text) if length is None else length) + text + data


def entry(dtype: str, shape: list, begin: int, end: int) -> dict:
    return {"dtype": dtype, "shape": shape, "data_offsets": [begin, end]}


def safetensors_seeds() -> dict[str, bytes]:
    codes = {"F64": 8, "I64": 8, "U64": 8, "F32": 4, "I32": 4, "U32": 4, "F16": 2, "BF16": 2,
             "I16": 2, "U16": 2, "I8": 1, "U8": 1, "BOOL": 1}  # fmt: skip
    every, at = {}, 0
    for code, size in codes.items():
        every[f"layer.{code}"] = entry(code, [2, 1], at, at + 2 * size)
        at += 2 * size
    return {
        "empty": safetensors({}),
        "metadata": safetensors({"__metadata__": {"format": "pt"}, "w": entry("F32", [3], 0, 12)},
                                bytes(12)),  # fmt: skip
        "every_type": safetensors(every, bytes(at)),
        "scalar_and_nothing": safetensors(
            {"s": entry("F32", [], 0, 4), "n": entry("F32", [0, 7], 4, 4)}, bytes(4)
        ),
        "norm": safetensors(
            {"bn.weight": entry("F32", [1], 0, 4), "bn.num_batches_tracked": entry("I64", [], 4, 12)},
            bytes(12),
        ),
        "tied": safetensors(
            {"transformer.wte.weight": entry("F16", [2, 2], 0, 8), "lm_head.weight": entry("F16", [2, 2], 8, 16)},
            bytes(16),
        ),
        "overlap": safetensors({"a": entry("F32", [1], 0, 4), "b": entry("F32", [1], 0, 4)}, bytes(4)),
        "hole": safetensors({"a": entry("F32", [1], 4, 8)}, bytes(8)),
        "beyond": safetensors({"a": entry("F32", [10**9], 0, 4 * 10**9)}, bytes(8)),
        "overflow": safetensors({"a": entry("F32", [2**32, 2**32], 0, 4)}, bytes(4)),
        "negative": safetensors({"a": entry("F32", [-1], 0, 4)}, bytes(4)),
        "numbers": safetensors('{"a":{"dtype":"F32","shape":[1e3],"data_offsets":[0,4.0]}}', bytes(4)),
        "twice": safetensors('{"a":{"dtype":"U8","shape":[],"data_offsets":[0,1]},"a":[]}', b"\0"),
        "names": safetensors('{"\\u0000\\n\\ud800x":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}', b"\0"),
        "hostile_names": safetensors({"a\n\0\x1b[2J": entry("U8", [1], 0, 1), "b" * 2000: entry("U8", [1], 1, 2)}, bytes(2)),
        "long_header": safetensors("{}", length=2**63),
        "cut": safetensors({"a": entry("F32", [1], 0, 4)}, bytes(4))[:40],
    }


def index_seeds() -> dict[str, bytes]:
    whole = {"a": "a.safetensors", "b": "a.safetensors", "c": "sub/c.safetensors"}
    maps = {
        "whole": whole,
        "one_shard": {"a": "a.safetensors", "b": "a.safetensors"},
        "absent": whole | {"d": "a.safetensors"},
        "not_placed": {"a": "a.safetensors"},
        "outside": {"a": "../a.safetensors"},
        "absolute": {"a": "/dev/zero"},
        "no_file": {"a": "x.safetensors"},
        "folder": {"c": "sub"},
        "itself": {"a": "model.safetensors.index.json"},
        "nul": {"a": "a\0.safetensors"},
        "newline": {"a": "a\nb.safetensors"},
        "long": {"a": "a" * 5000},
        "number": {"a": 3},
        "none": {},
    }
    seeds = {name: json.dumps({"metadata": {"total_size": 12}, "weight_map": shards}).encode()
             for name, shards in maps.items()}  # fmt: skip
    return seeds | {"no_map": b"{}", "list": b"[]", "deep": b'{"weight_map":' * 1000}


def npy_seeds() -> dict[str, bytes]:
    arrays = {
        "matrix": np.arange(6, dtype="<f4").reshape(2, 3),
        "fortran": np.asfortranarray(np.arange(24, dtype="<i2").reshape(2, 3, 4)),
        "scalar": np.array(3, "<i8"),
        "empty": np.zeros((0, 5), "<f8"),
        "booleans": np.array([True, False]),
        "big_endian": np.zeros(2, ">f4"),
        "structure": np.zeros(2, [("a", "<f4"), ("b", "<i8")]),
        "text": np.array(["a", "bc"]),
    }
    seeds = {}
    for name, array in arrays.items():
        file = io.BytesIO()
        np.save(file, array, allow_pickle=False)
        seeds[name] = file.getvalue()
    header = b"{'descr': '<f4', 'fortran_order': False, 'shape': (%s), }"
    for name, shape in (("many", b"4294967296, 4294967296"), ("axes", b"1," * 65)):
        text = header % shape
        seeds[name] = b"\x93NUMPY\x02\x00" + struct.pack("<I", len(text)) + text
    return seeds


def record_seeds() -> dict[str, bytes]:
    seeds = {path.name: path.read_bytes() for path in sorted(RECORDS.glob("*.json"))}
    after = json.loads(seeds["after.json"])
    seeds["no_arms"] = json.dumps(after | {"arms": []}).encode()
    seeds["one_arm"] = json.dumps(after | {"arms": after["arms"][:1]}).encode()
    return seeds


def regressions(target: str) -> dict[str, bytes]:
    readers = {
        ".onnxtxt": lambda path: seeds_onnx.from_text(path.read_text()),
        ".textproto": lambda path: seeds_onnx.from_textproto(path.read_text()),
        ".hex": lambda path: bytes.fromhex(path.read_text()),
        ".json": lambda path: path.read_bytes(),
    }
    files = sorted((REGRESSIONS / target).glob("*"))
    return {f"regression_{path.stem}": readers[path.suffix](path) for path in files}


def main() -> None:
    folder = Path(sys.argv[1])
    makers = {"onnx": seeds_onnx.seeds, "safetensors": safetensors_seeds, "index": index_seeds,
              "npy": npy_seeds, "record": record_seeds}  # fmt: skip
    for target, make in makers.items():
        (folder / target).mkdir(parents=True, exist_ok=True)
        for old in (folder / target).iterdir():
            old.unlink()
        for name, content in (make() | regressions(target)).items():
            (folder / target / name).write_bytes(content)
    (folder / "written").touch()


if __name__ == "__main__":
    main()
