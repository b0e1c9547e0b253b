"""The plain runs that scale what reduced classes may be off by."""

import pathlib
import shutil
import tempfile
import unittest
from unittest import mock

import torch

from . import plain
from .engine import PyTorchEngine
from .recipe_cases import Case

# By name: weights and activations, and between what the error against float32 lies.
_CASES = {
    "w8": ("int8", "", 1e-4, 2e-2),
    "w8 a8": ("int8", "int8", 1e-3, 4e-2),
    "w8 a7": ("int8", "int7", 2e-3, 6e-2),
    "narrow": ("int8_narrow", "int8_narrow", 1e-3, 6e-2),
    "w4": ("int4", "", 1e-3, 2e-1),
    "e4m3fn": ("float8_e4m3fn", "", 1e-3, 1e-1),
    "e5m2": ("float8_e5m2", "", 1e-3, 2e-1),
}


class RoundingTest(unittest.TestCase):
    def test_weights_keep_the_greatest_of_each_channel_and_as_many_values_as_bits_hold(self) -> None:
        weight = torch.linspace(-1, 1, 2001).repeat(2, 1) * torch.tensor([[1.0], [100.0]])
        for bits in (8, 7):
            rounded = plain.rounded_by_channel(weight, bits)
            for channel, greatest in zip(rounded, (1.0, 100.0), strict=True):
                self.assertEqual(len(channel.unique()), 2**bits - 1)
                self.assertAlmostEqual(channel.max().item(), greatest, 4)
            step = 1 / (2 ** (bits - 1) - 1)
            self.assertLessEqual((rounded - weight)[0].abs().max().item(), step / 2 + 1e-6)

    def test_int4_has_sixteen_values_in_each_group(self) -> None:
        torch.manual_seed(0)
        weight = torch.rand(4, 256)
        rounded = plain.rounded_in_groups(weight)
        for group in rounded.reshape(-1, 128):
            self.assertLessEqual(len(group.unique()), 16)
        self.assertLess((rounded - weight).abs().max().item(), 1 / 30 + 1e-6)

    def test_float8_is_the_nearest_after_scaling(self) -> None:
        weight = torch.tensor([[448.0, 17.0, -3.3, 0.0]])
        self.assertEqual(
            plain.rounded_to_float(weight, torch.float8_e4m3fn).tolist(), [[448.0, 16.0, -3.25, 0.0]]
        )

    def test_activations_are_cut_off_at_their_range_and_zero_stays_zero(self) -> None:
        values = torch.tensor([-1.0, 0.0, 0.1, 2.0, 9.0])
        rounded = plain.rounded_to_range(values, (-0.5, 2.0), 8)
        self.assertEqual(rounded[1].item(), 0)
        self.assertAlmostEqual(rounded[0].item(), -0.5, 2)
        self.assertAlmostEqual(rounded[4].item(), 2.0, 2)
        self.assertLess(abs(rounded[2].item() - 0.1), 2.5 / 255)


class PlainRunTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls) -> None:
        cls.folder = pathlib.Path(tempfile.mkdtemp())
        cls.addClassCleanup(shutil.rmtree, cls.folder)
        cls.case = Case(cls.folder)

    def error(self, name: str, weights: str, activations: str) -> float:
        job = self.case.job(
            name, quantisation="plain", weights=weights, activations=activations
        )
        PyTorchEngine().prepare(job)
        return self.case.load(job)[1]

    def test_is_off_by_what_its_class_costs(self) -> None:
        for name, (weights, activations, least, most) in _CASES.items():
            with self.subTest(name):
                error = self.error(name, weights, activations)
                self.assertTrue(least <= error <= most, f"{name}: {error}")

    def test_narrow_numbers_lose_a_bit_only_where_the_processor_saturates(self) -> None:
        errors = {}
        for vnni in (False, True):
            with mock.patch.object(plain, "multiplies_int8", lambda vnni=vnni: vnni):
                errors[vnni] = self.error("vnni", "int8_narrow", "int8_narrow")
        self.assertEqual(errors[True], self.error("vnni", "int8", "int8"))
        self.assertGreater(errors[False], 1.3 * errors[True])


if __name__ == "__main__":
    unittest.main()
