"""The tree of modules that a program becomes: names are data, whatever they are."""

import unittest

import torch

from .module_tree import build_module, replay
from .program import Call, Constant, Program, Ref, Value


def multiply_add(inputs: list[str], constants: list[str], result: str) -> Program:
    """inputs[0] * inputs[1] ... + constants[0] + constants[1] ..., each of 2."""
    names = [*inputs, *constants]
    values = tuple(Value(id, name, torch.float32, (2,)) for id, name in enumerate(inputs))
    fixed = tuple(
        Constant(id, name, torch.tensor([0.5, id]))
        for id, name in enumerate(constants, start=len(inputs))
    )
    calls, last = [], 0
    for id in range(1, len(names)):
        made = len(names) + id
        op = ("aten::mul", "Tensor") if id < len(inputs) else ("aten::add", "Tensor")
        calls.append(Call(*op, (Ref(last), Ref(id)), (made,), (), ""))
        last = made
    outputs = (Value(last, result, torch.float32, (2,)),)
    return Program("class", values, (), fixed, tuple(calls), outputs, last + 1)


class NamesTest(unittest.TestCase):
    def check(self, inputs: list[str], constants: list[str], result: str = "y") -> None:
        program = multiply_add(inputs, constants, result)
        given = [torch.tensor([2.0, 3.0 + i]) for i in range(len(inputs))]
        expected = replay(program, {})(*given)
        module = build_module(program, {})
        self.assertTrue(torch.equal(module(*given), expected))
        exported = torch.export.export(module, tuple(given)).module()
        self.assertTrue(torch.equal(exported(*given), expected))
        self.assertTrue(torch.equal(torch.jit.trace(module, tuple(given))(*given), expected))

    def test_names_that_become_one_identifier_stay_apart(self) -> None:
        self.check(["a.b", "a/b", "a:b"], ["w.1", "w.1/", "w.1:", "w_1"])

    def test_words_of_python_and_of_its_modules(self) -> None:
        self.check(["in", "self", "torch", "print", "None"], ["class", "lambda", "forward", "training"])
        self.check(["a"], ["class.if", "_modules", "state_dict.weight"])

    def test_what_is_no_identifier_at_all(self) -> None:
        self.check(["0", "层/α β'\"$(echo)`\\n"], ["", ".", "1.5", "é.è"], "StatefulPartitionedCall:0")

    def test_a_weight_that_is_also_the_folder_of_another(self) -> None:
        self.check(["a"], ["w", "w.b", "w.b.c", "v.b", "v"])


if __name__ == "__main__":
    unittest.main()
