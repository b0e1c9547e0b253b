"""Lowers ONNX files as PyTorch's own exporter writes them: weights inside, everything decomposed.

usage: test_onnx_files.py LOWER_MODEL
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import unittest
import warnings
from pathlib import Path

import torch
from torch import Tensor, nn

sys.path.insert(0, str(Path(__file__).parents[2] / "src" / "engines"))

from pytorch.module_tree import build_module, replay
from pytorch.program import Program, load


class TextEncoder(nn.Module):
    """Embeddings, one block of masked attention, a perceptron; norms after the sums, as in BERT."""

    def __init__(self, width: int = 32, heads: int = 4) -> None:
        super().__init__()
        self.heads = heads
        self.word = nn.Embedding(100, width)
        self.position = nn.Embedding(16, width)
        self.query = nn.Linear(width, width)
        self.key = nn.Linear(width, width)
        self.value = nn.Linear(width, width)
        self.out = nn.Linear(width, width)
        self.norm1 = nn.LayerNorm(width)
        self.hidden = nn.Linear(width, 2 * width)
        self.mlp_out = nn.Linear(2 * width, width)
        self.norm2 = nn.LayerNorm(width)

    def _split(self, x: Tensor) -> Tensor:
        return x.view(*x.shape[:2], self.heads, -1).transpose(1, 2)

    def forward(self, ids: Tensor, mask: Tensor) -> Tensor:
        x = self.word(ids) + self.position(torch.arange(ids.shape[1]))
        hidden = (1.0 - mask[:, None, None, :].float()) * -10000.0
        q, k, v = (self._split(layer(x)) for layer in (self.query, self.key, self.value))
        attended = nn.functional.scaled_dot_product_attention(q, k, v, attn_mask=hidden)
        x = self.norm1(x + self.out(attended.transpose(1, 2).reshape(x.shape)))
        return self.norm2(x + self.mlp_out(nn.functional.gelu(self.hidden(x))))


class GatedConvolution(nn.Module):
    """What EfficientNet and its kin are made of: swish, squeeze and excitation, slices."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 8, 3, 2, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(8)
        self.act = nn.SiLU(inplace=True)
        self.squeeze = nn.Conv2d(8, 2, 1)
        self.excite = nn.Conv2d(2, 8, 1)
        self.fc = nn.Linear(8, 5)

    def forward(self, x: Tensor) -> Tensor:
        x = self.act(self.norm(self.conv(x)))
        gate = nn.functional.adaptive_avg_pool2d(x, 1)
        gate = self.excite(nn.functional.hardswish(self.squeeze(gate)))
        x = x * torch.sigmoid(gate)
        x = torch.cat([x, x[:, 1:3]], 1)[:, 2:]
        x = nn.functional.avg_pool2d(x, 2).mean([2, 3])
        return torch.log_softmax(self.fc(x), -1)


class Decomposed(nn.Module):
    """Functions for which opset 13 has no operator."""

    def __init__(self) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(16)
        self.scale = nn.Parameter(torch.rand(16))

    def forward(self, x: Tensor) -> Tensor:
        x = nn.functional.gelu(self.norm(x), approximate="tanh")
        x = nn.functional.hardswish(nn.functional.silu(x))
        x = x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + 1e-6) * self.scale
        return nn.functional.gelu(nn.functional.mish(x))


class OnnxFileTest(unittest.TestCase):
    tool = ""

    def lower(
        self, module: nn.Module, inputs: tuple[Tensor, ...], folder: str, opset: int
    ) -> Program:
        path = Path(folder) / "model.onnx"
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            torch.onnx.export(module, inputs, str(path), dynamo=False, opset_version=opset)
        subprocess.run([self.tool, str(path)], check=True, capture_output=True)
        return load(path.parent / "program.json")

    def check(
        self, module: nn.Module, inputs: tuple[Tensor, ...], opset: int = 17
    ) -> tuple[Program, nn.Module]:
        """Lowers, and compares the outputs of module, replay and module tree."""
        module = module.eval()
        with tempfile.TemporaryDirectory() as folder:
            program = self.lower(module, inputs, folder, opset)
        tree = build_module(program, {})
        with torch.no_grad():
            expected = module(*inputs)
            replayed = replay(program, {})(*inputs)
            self.assertTrue(torch.equal(tree(*inputs), replayed))
        torch.testing.assert_close(replayed, expected, rtol=1e-5, atol=1e-5)
        return program, tree

    def test_text_encoder(self) -> None:
        torch.manual_seed(0)
        mask = torch.tensor([[1] * 12, [1] * 7 + [0] * 5])
        inputs = (torch.randint(0, 100, (2, 12)), mask)
        program, tree = self.check(TextEncoder(), inputs)
        made = [call.op.removeprefix("aten::") for call in program.calls]
        for op, count in {"scaled_dot_product_attention": 1, "linear": 6, "layer_norm": 2}.items():
            self.assertEqual(made.count(op), count, op)
        self.assertEqual(made.count("gelu") + made.count("embedding"), 2)
        for op in ("softmax", "matmul", "erf", "sqrt"):
            self.assertNotIn(op, made)
        layers = [module for module in tree.modules() if isinstance(module, nn.Linear)]
        self.assertEqual(len(layers), 6)

    def test_gated_convolution(self) -> None:
        torch.manual_seed(0)
        program, tree = self.check(GatedConvolution(), (torch.randn(1, 3, 32, 32),))
        made = [call.op for call in program.calls]
        self.assertIn("aten::silu_", made)
        self.assertIn("aten::hardswish_", made)
        self.assertIsInstance(tree.get_submodule("squeeze"), nn.Conv2d)

    def test_decomposed_functions(self) -> None:
        torch.manual_seed(0)
        program, _ = self.check(Decomposed(), (torch.randn(2, 5, 16),), opset=13)
        made = [call.op.removeprefix("aten::").removesuffix("_") for call in program.calls]
        expected = ["layer_norm", "gelu", "silu", "hardswish", "rms_norm", "mish", "gelu"]
        self.assertEqual(made, expected)


if __name__ == "__main__":
    OnnxFileTest.tool = sys.argv[1]
    unittest.main(argv=sys.argv[:1])
