"""Compares a zoo model's ATen program with torch.export of the same architecture by hand.

usage: test_export.py MODEL LOWER_MODEL CACHE

Differences between the two lists that are allowed, and why:
  dropout         torch.export shows the inactive dropouts of a module; they return their input, and
                  the ONNX graph, made for inference, has none.
  cudnn_enabled   torch.export writes what this build of PyTorch has; on a CPU nothing reads it.
  sizes           "-1" in expand and reshape is what torch.export keeps of the source; the program
                  has the size.
  numbers         a product with a number is mul.Tensor to torch.export, mul.Scalar to the program.
  attention glue  nn.MultiheadAttention swaps batch and length and packs queries, keys and values
                  into one contiguous tensor; the ONNX graph splits them. Views and copies next to
                  the projections and scaled_dot_product_attention are left out on both sides, and
                  which third of the projection each operand is remains compared.
Everything else must agree, call by call: operator, overload, arguments, and which values they are.
"""

from __future__ import annotations

import operator
import subprocess
import sys
import unittest
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn

sys.path.insert(0, str(Path(__file__).parents[2] / "src" / "engines"))

from handwritten import MODELS
from pytorch.module_tree import bind_arguments, build_module, replay
from pytorch.program import Program, Ref, load, load_weights

GLUE = {"transpose", "unflatten", "unsqueeze", "squeeze", "contiguous", "view", "permute"}
GLUE |= {"reshape", "select", "split_with_sizes"}
ASSERTIONS = {torch.ops.aten._assert_tensor_metadata.default}
IGNORED = {"cudnn_enabled", "cudnn_enable"}



def tolerance(model: str) -> float:
    """Of the difference from the handwritten module, relative to its largest output.

    0 is to the bit. Outside torch.export nn.MultiheadAttention in eval mode takes a fused path of
    its own (_native_multi_head_attention), which sums in another order.
    """
    return 1e-5 if model.startswith("vit_") else 0.0


@dataclass(frozen=True)
class Made:
    """What a value is: the position of the call that made it, or a name, and which part of it."""

    of: int | str
    part: int | None = None


@dataclass(frozen=True)
class Step:
    """A call as both sides write it."""

    op: str
    arguments: tuple[tuple[str, Any], ...]


CONSTANT = Made("a constant")


class Listing:
    """Collects calls in a form that can be compared."""

    def __init__(self) -> None:
        self.steps: list[Step] = []

    def add(self, target: Any, args: list[Any], kwargs: dict[str, Any], shape: Any) -> Made:
        """Adds a call unless it is one of the allowed differences; what its result is.

        shape  of the result, which stands for sizes that were asked for
        """
        name = target._schema.name.removeprefix("aten::").removesuffix("_")
        if name == "dropout" and args[2] is False:
            return args[0]
        if name in GLUE and self._is_glue(name, args):
            part = args[2] if name == "select" else None
            return args[0] if part is None else Made(args[0].of, part)
        arguments = {}
        for position, parameter in enumerate(target._schema.arguments):
            if position < len(args):
                value = args[position]
            else:
                default = parameter.default_value if parameter.has_default_value() else None
                value = kwargs.get(parameter.name, default)
            if parameter.name not in IGNORED:
                arguments[parameter.name] = comparable(value)
        if name in ("expand", "reshape"):
            arguments["size" if name == "expand" else "shape"] = tuple(shape)
        op = str(target)
        if isinstance(arguments.get("other"), (int, float)):
            op = op.replace(".Tensor", ".Scalar")
        self.steps.append(Step(op, tuple(arguments.items())))
        return Made(len(self.steps) - 1)

    def _is_glue(self, name: str, args: list[Any]) -> bool:
        source = args[0].of
        made_by = self.steps[source].op if isinstance(source, int) else ""
        around = "linear" in made_by or "scaled_dot_product_attention" in made_by
        return around or name == "transpose"


def comparable(value: Any) -> Any:
    """Lists as tuples; numbers as they are told apart in single precision."""
    if isinstance(value, (list, tuple)):
        return tuple(comparable(item) for item in value)
    if isinstance(value, float):
        return float(f"{value:.6g}")
    return value


def list_program(program: Program) -> list[Step]:
    """The calls of a lowered program; shapes come from running it on nothing ("meta")."""
    listing = Listing()
    what: dict[int, Any] = {weight.id: Made(weight.tensor) for weight in program.weights}
    what |= {constant.id: CONSTANT for constant in program.constants}
    shapes = {w.id: torch.empty(w.shape, dtype=w.dtype, device="meta") for w in program.weights}
    shapes |= {constant.id: constant.value.to("meta") for constant in program.constants}
    for position, value in enumerate(program.inputs):
        what[value.id] = Made(f"input {position}")
        shapes[value.id] = torch.empty(value.shape, dtype=value.dtype, device="meta")
    for call in program.calls:
        args, kwargs = bind_arguments(call, lambda ref: shapes[ref.id])
        result = call.target()(*args, **kwargs)
        args, kwargs = bind_arguments(call, lambda ref: what[ref.id])
        several = isinstance(result, (list, tuple))
        made = listing.add(call.target(), args, kwargs, None if several else result.shape)
        for part, id in enumerate(call.results):
            what[id] = Made(made.of, part) if several else made
            shapes[id] = result[part] if several else result
    return listing.steps


def list_export(exported: torch.export.ExportedProgram) -> list[Step]:
    """The calls of an exported module, weights under their names in it."""
    listing = Listing()
    signature = exported.graph_signature
    names = {**signature.inputs_to_parameters, **signature.inputs_to_buffers}
    inputs = {name: f"input {i}" for i, name in enumerate(signature.user_inputs)}
    constants = set(signature.non_persistent_buffers)
    what: dict[Any, Any] = {}
    for node in exported.graph.nodes:
        if node.op == "placeholder":
            name = (names | inputs)[node.name]
            what[node] = CONSTANT if name in constants else Made(name)
        elif node.op == "call_function" and node.target not in ASSERTIONS:
            args = list(torch.fx.map_arg(node.args, lambda argument: what[argument]))
            kwargs = torch.fx.map_arg(node.kwargs, lambda argument: what[argument])
            if node.target is operator.getitem:
                what[node] = Made(args[0].of, args[1])
            else:
                shape = getattr(node.meta["val"], "shape", None)
                what[node] = listing.add(node.target, args, kwargs, shape)
    return listing.steps


def layers(module: nn.Module) -> dict[str, type]:
    """The kinds of a module's layers with weights, by path."""
    kinds = (nn.Conv2d, nn.Linear, nn.BatchNorm2d, nn.LayerNorm)
    named = module.named_modules()
    return {name: type(layer) for name, layer in named if isinstance(layer, kinds)}


def drawn(value: Any) -> torch.Tensor:
    """A random input; integers below 2, the first 1, fit any table and any mask."""
    if value.dtype.is_floating_point:
        return torch.randn(*value.shape)
    numbers = torch.randint(2, tuple(value.shape), dtype=value.dtype)
    numbers[:, 0] = 1
    return numbers


def rows(outputs: Any) -> torch.Tensor:
    """All outputs in one row."""
    outputs = outputs if isinstance(outputs, (list, tuple)) else [outputs]
    return torch.cat([output.reshape(-1) for output in outputs])


class ExportTest(unittest.TestCase):
    """One model; set up by main."""

    model = ""
    tool = ""
    cache = ""

    @classmethod
    def setUpClass(cls) -> None:
        torch.manual_seed(0)
        torch.set_grad_enabled(False)
        command = [cls.tool, cls.model, cls.cache]
        run = subprocess.run(command, check=True, capture_output=True, text=True)
        folder = Path(run.stdout.strip())
        cls.program = load(folder / "program.json")
        cls.weights = load_weights(cls.program, folder)
        cls.handwritten = MODELS[cls.model]().eval()
        named = {weight.tensor: cls.weights[weight.id] for weight in cls.program.weights}
        missing = cls.handwritten.load_state_dict(named, strict=False)
        assert not missing.unexpected_keys, missing
        assert all("num_batches_tracked" in key for key in missing.missing_keys), missing
        cls.inputs = tuple(drawn(value) for value in cls.program.inputs)
        cls.replayed = replay(cls.program, cls.weights)
        cls.tree = build_module(cls.program, cls.weights)

    def test_makes_the_calls_that_the_handwritten_module_makes(self) -> None:
        ours = list_program(self.program)
        theirs = list_export(torch.export.export(self.handwritten, self.inputs))
        for position, (mine, other) in enumerate(zip(ours, theirs)):
            self.assertEqual(mine, other, f"call {position}")
        self.assertEqual(len(ours), len(theirs))

    def test_replay_gives_the_handwritten_modules_output(self) -> None:
        mine, other = rows(self.replayed(*self.inputs)), rows(self.handwritten(*self.inputs))
        difference = ((mine - other).abs().max() / other.abs().max()).item()
        print(f"{self.model}: replay differs from the handwritten module by {difference:.2g}")
        self.assertLessEqual(difference, tolerance(self.model))

    def test_replay_leaves_its_input_alone(self) -> None:
        before = [tensor.clone() for tensor in self.inputs]
        self.replayed(*self.inputs)
        self.assertTrue(all(map(torch.equal, before, self.inputs)))

    def test_replay_in_double_precision_agrees(self) -> None:
        double = rows(replay(self.program, self.weights, torch.float64)(*self.inputs))
        self.assertEqual(double.dtype, torch.float64)
        single = rows(self.replayed(*self.inputs)).double()
        self.assertLess((single - double).norm() / double.norm(), 1e-4)

    def test_module_tree_equals_replay_to_the_bit(self) -> None:
        mine, other = rows(self.tree(*self.inputs)), rows(self.replayed(*self.inputs))
        self.assertTrue(torch.equal(mine, other))

    def test_module_tree_exports_to_the_programs_calls(self) -> None:
        exported = torch.export.export(self.tree, self.inputs)
        # A layer holds its weight the way round that its module has it.
        steps = [step.op for step in list_program(self.program) if step.op != "aten.t.default"]
        self.assertEqual([step.op for step in list_export(exported)], steps)
        mine, other = rows(exported.module()(*self.inputs)), rows(self.tree(*self.inputs))
        self.assertTrue(torch.equal(mine, other))

    def test_module_tree_compiles_as_one_graph(self) -> None:
        compiled = torch.compile(self.tree, fullgraph=True, backend="aot_eager")
        mine, other = rows(compiled(*self.inputs)), rows(self.tree(*self.inputs))
        self.assertLess((mine - other).abs().max() / other.abs().max(), 1e-5)

    def test_module_tree_has_the_handwritten_modules_layers(self) -> None:
        ours, theirs = layers(self.tree), layers(self.handwritten)
        # in_proj: see attention glue; a layer that shares another's weight is a second one here
        own = {name for name in ours if not name.endswith((".in_proj", "_again"))}
        self.assertEqual(own, theirs.keys())
        for name, kind in theirs.items():
            self.assertTrue(issubclass(kind, ours[name]), f"{name}: {kind}, {ours[name]}")

    def test_every_weight_is_aligned(self) -> None:
        for weight in self.program.weights:
            self.assertEqual(self.weights[weight.id].data_ptr() % 64, 0, weight.tensor)


if __name__ == "__main__":
    ExportTest.model, ExportTest.tool, ExportTest.cache = sys.argv[1:4]
    unittest.main(argv=sys.argv[:1])
