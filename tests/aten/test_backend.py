"""Runs the ONNX standard's own test cases of every operator that the lowering knows.

usage: test_backend.py LOWER_MODEL

The onnx wheel brings the cases: models of one operator, or of an operator's expansion into others,
with inputs and expected outputs. Each is lowered as it is; when that is refused, because axes or
shapes are inputs of the graph, again with these as constants. What does not pass is in EXPECTED,
with the number of cases: one more or less is a failure, whether it breaks or starts to pass.
"""

from __future__ import annotations

import collections
import re
import subprocess
import sys
import tempfile
import unittest
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx.backend.test.case.test_case import TestCase as Case
from onnx.backend.test.loader import load_node_model_tests

from backend_expected import EXPECTED, OTHER_TESTS
from onnx_runs import array_of, lower, run_lowered, with_constants

FOLDED = {"Constant", "Range", "Shape", "Size"}  # by the graph's reader


def operators(case: Case) -> set[str]:
    return {node.op_type for node in case.model.graph.node}


def is_of(case: Case, known: set[str]) -> bool:
    """Whether the case is made of known operators of the standard and of tensors only."""
    graph = case.model.graph
    return all(node.domain == "" and node.op_type in known for node in graph.node) and all(
        value.type.HasField("tensor_type") for value in graph.input
    )


def arrays(data: Sequence[Any]) -> list[np.ndarray]:
    """Types that NumPy lacks come as ONNX's tensors."""
    return [
        onnx.numpy_helper.to_array(item) if isinstance(item, onnx.TensorProto) else np.asarray(item)
        for item in data
    ]


def inputs_of(case: Case) -> list[np.ndarray]:
    return arrays(case.data_sets[0][0])


def failure(case: Case, folder: Path, inputs: list[np.ndarray]) -> str:
    """What is wrong with the lowered program of a case, "" when its outputs are as expected."""
    try:
        outputs = run_lowered(folder, inputs)
        for output, expected in zip(outputs, arrays(case.data_sets[0][1]), strict=True):
            actual = array_of(output)
            assert str(output.dtype).removeprefix("torch.") == expected.dtype.name, "type"
            assert actual.shape == expected.shape, f"shape {actual.shape}, not {expected.shape}"
            if expected.dtype.name == "bfloat16":
                expected = expected.astype(np.float32)
            np.testing.assert_allclose(actual, expected, rtol=case.rtol, atol=case.atol)
    except Exception as error:  # whatever PyTorch raises is the outcome
        lines = [line for line in str(error).splitlines() if line.strip()]
        return f"{type(error).__name__}: {' '.join(lines)[:160]}"
    return ""


def outcomes(tool: str, cases: list[Case]) -> dict[str, str]:
    """By case: why it does not pass, "" when it does."""
    found: dict[str, str] = {}
    open_cases = {case.name: case for case in cases}
    with tempfile.TemporaryDirectory() as folder:
        for kept in (None, 1, 0):  # inputs that stay inputs: all, the first, none
            path = Path(folder) / str(kept)
            models = {}
            for name, case in open_cases.items():
                inputs = inputs_of(case)
                same = kept is None or kept >= len(inputs)
                models[name] = case.model if same else with_constants(case.model, inputs, kept)
            for name, refusal in lower(tool, path, models).items():
                case = open_cases[name]
                found[name] = refusal or failure(case, path / name, inputs_of(case)[:kept])
                if not refusal:
                    del open_cases[name]
    return found


def line_of(name: str, why: str) -> int | None:
    """The first line of EXPECTED that a failure is of."""
    places = (i for i, line in enumerate(EXPECTED) if re.search(line[1], f"{name}: {why}"))
    return next(places, None)


def known_operators(tool: str) -> set[str]:
    run = subprocess.run([tool, "--operators"], check=True, capture_output=True, text=True)
    return set(run.stdout.split())


class BackendTest(unittest.TestCase):
    tool = ""

    @classmethod
    def setUpClass(cls) -> None:
        warnings.simplefilter("ignore")
        cls.known = known_operators(cls.tool)
        cls.cases = [case for case in load_node_model_tests() if is_of(case, cls.known | FOLDED)]
        cls.outcomes = outcomes(cls.tool, cls.cases)

    def test_every_case_passes_or_is_listed(self) -> None:
        failed = {name: why for name, why in self.outcomes.items() if why}
        lines = {name: line_of(name, why) for name, why in failed.items()}
        print(f"{len(self.outcomes) - len(failed)} of {len(self.outcomes)} cases pass")
        for name in sorted(name for name, line in lines.items() if line is None):
            print(f"  not listed: {name}: {failed[name]}")
        self.assertNotIn(None, lines.values())
        counts = collections.Counter(lines.values())
        for position, (count, pattern, _) in enumerate(EXPECTED):
            with self.subTest(pattern):
                self.assertEqual(counts[position], count)

    def test_every_known_operator_has_a_case_that_passes_or_tests_of_its_own(self) -> None:
        passing = {case.name for case in self.cases if not self.outcomes[case.name]}
        shown = set().union(*(operators(case) for case in self.cases if case.name in passing))
        self.assertEqual(self.known - shown, set(OTHER_TESTS))


if __name__ == "__main__":
    BackendTest.tool = sys.argv[1]
    unittest.main(argv=sys.argv[:1])
