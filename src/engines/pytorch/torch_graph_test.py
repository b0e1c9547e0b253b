"""What torch_graph says of modules written here, and the program assay-torch-graph.

ASSAY_ENGINES names the folder of assay-torch-graph.
"""

import json
import os
import pathlib
import subprocess
import tempfile
import unittest

import torch
from safetensors.torch import save_file
from torch import nn

from .engine_test import make_program, make_weights
from .torch_graph import explained, exported


class Whole(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.norm = nn.BatchNorm1d(4)
        self.fc = nn.Linear(4, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.fc(self.norm(x)).relu_()


class Broken(nn.Module):
    """Its way depends on values, so that dynamo must leave it once."""

    def __init__(self) -> None:
        super().__init__()
        self.fc = nn.Linear(4, 4)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = self.fc(x)
        if y.sum().item() > 1e9:
            y = y * 2
        return torch.sigmoid(y)


INPUT = (torch.zeros(2, 4),)


class TorchGraphTest(unittest.TestCase):
    def test_an_export_has_calls_types_modules_and_code(self) -> None:
        document = exported(Whole().eval(), INPUT, "whole")
        (graph,) = document["graphs"]
        self.assertEqual(document["breaks"], [])
        steps = {step["op"]: step for step in graph["steps"]}
        self.assertIn("aten.linear.default", steps)
        self.assertIn("aten.relu_.default", steps)
        linear = steps["aten.linear.default"]
        self.assertEqual(linear["origin"], "fc")
        items = graph["items"]
        self.assertEqual(items[linear["results"][0]]["shape"], [2, 3])
        self.assertIn('"f32[2, 3]"', graph["code"])
        compile(graph["code"], "code", "exec")  # it is Python
        self.assertNotIn("site-packages", graph["code"])
        self.assertRegex(graph["code"], r"# File: .*torch_graph_test.py:\d+ in forward")
        weights = [items[a["item"]] for a in linear["arguments"] if "item" in a][1:]
        self.assertEqual([w["name"] for w in weights], ["fc.weight", "fc.bias"])
        self.assertEqual([w["kind"] for w in weights], ["weight", "weight"])
        # weight and bias of both layers; running statistics are no parameters
        self.assertEqual(sum(i.get("parameters", 0) for i in items), 4 * 3 + 3 + 4 + 4)

    def test_a_module_without_breaks_is_one_graph(self) -> None:
        document = explained(Whole().eval(), INPUT, "whole")
        (graph,) = document["graphs"]
        self.assertEqual(document["breaks"], [])
        self.assertEqual(sum(i.get("parameters", 0) for i in graph["items"]), 4 * 3 + 3 + 4 + 4)
        names = {i["name"] for i in graph["items"] if i["kind"] == "weight"}
        self.assertIn("fc.weight", names)
        self.assertIn("fc", {step["origin"] for step in graph["steps"]})

    def test_a_break_has_its_reason_and_place(self) -> None:
        document = explained(Broken().eval(), INPUT, "broken")
        self.assertEqual(len(document["graphs"]), 2)
        (found,) = document["breaks"]
        self.assertIn("item", found["reason"])
        self.assertNotIn("\n", found["reason"])
        self.assertRegex(found["where"][-1], r"torch_graph_test.py:\d+ in forward: .*item\(\)")

    def test_the_program_writes_json_for_both_forms(self) -> None:
        for form in ("fx", "dynamo"):
            with self.subTest(form), tempfile.TemporaryDirectory() as folder:
                document = ask(form, pathlib.Path(folder))
                self.assertEqual(document["schema"], "assay.torch_graph/1")
                (graph,) = document["graphs"]
                self.assertGreaterEqual(len(graph["steps"]), 4)
                self.assertEqual(len(graph["outputs"]), 2)

    def test_a_program_that_cannot_be_read_is_an_error_in_words(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            document = ask("fx", pathlib.Path(folder), schema="other")
            self.assertIn("its schema is 'other'", document["error"]["message"])


def ask(form: str, folder: pathlib.Path, schema: str = "assay.aten/1") -> dict:
    weights = make_weights()
    save_file(weights, folder / "model.safetensors")
    (folder / "program.json").write_text(json.dumps(make_program(weights) | {"schema": schema}))
    tool = pathlib.Path(os.environ["ASSAY_ENGINES"]) / "assay-torch-graph"
    ours, theirs = os.pipe()
    command = [tool, form, folder / "program.json", folder, str(theirs)]
    with open(ours) as reply:
        process = subprocess.Popen(command, pass_fds=[theirs], stderr=subprocess.DEVNULL)
        os.close(theirs)
        text = reply.read()
    assert process.wait() == 0
    return json.loads(text)
