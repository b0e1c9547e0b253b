// Matrix products, linear layers, attention.
#include "aten/constants.h"
#include "aten/rules.h"

namespace assay::aten {
namespace {

Argument TransposedMatrix(Lowering& lowering, const Argument& matrix) {
  return ValueRef{lowering.Emit("aten::t", "", {matrix}, Storage::kFirstArgument)};
}

/// aten::linear wants the weight as [out, in].
Status EmitLinear(Lowering& lowering, const model::Node& node) {
  Argument weight = lowering.Tensor(node.inputs[1]);
  if (node.Int("transB", 0) == 0) {
    weight = TransposedMatrix(lowering, weight);
  }
  return lowering.Finish("aten::linear", "",
                         WithoutDefaults({lowering.Tensor(node.inputs[0]), weight,
                                          lowering.Tensor(lowering.Operand(2))},
                                         {Default{}}));
}

}  // namespace

Status LowerLinear(Lowering& lowering, const model::Node& node) {
  return EmitLinear(lowering, node);
}

Status LowerGemm(Lowering& lowering, const model::Node& node) {
  const model::ValueId bias = lowering.Operand(2);
  const double alpha = node.Float("alpha", 1.0);
  const double beta = node.Float("beta", 1.0);
  const bool transposes_a = node.Int("transA", 0) != 0;
  const bool vector_bias =
      bias == model::kNone || (beta == 1.0 && lowering.Rank(bias) == 1 &&
                               lowering.Shape(bias)[0] == lowering.Shape(node.outputs[0])[1]);
  if (alpha == 1.0 && !transposes_a && vector_bias &&
      lowering.Value(node.inputs[1]).weight.has_value()) {
    return EmitLinear(lowering, node);
  }
  Argument a = lowering.Tensor(node.inputs[0]);
  Argument b = lowering.Tensor(node.inputs[1]);
  a = transposes_a ? TransposedMatrix(lowering, a) : a;
  b = node.Int("transB", 0) != 0 ? TransposedMatrix(lowering, b) : b;
  if (bias != model::kNone) {
    return lowering.Finish(
        "aten::addmm", "",
        WithoutDefaults({lowering.Tensor(bias), a, b, Decimal(beta), Decimal(alpha)}, {1.0, 1.0}));
  }
  const ValueId product = lowering.Emit("aten::matmul", "", {a, b});
  if (alpha == 1.0) {
    lowering.Bind(node.outputs[0], product);
    return {};
  }
  return lowering.Finish("aten::mul", "Scalar", {ValueRef{product}, Decimal(alpha)});
}

Status LowerMatMul(Lowering& lowering, const model::Node& node) {
  return lowering.Finish("aten::matmul", "",
                         {lowering.Tensor(node.inputs[0]), lowering.Tensor(node.inputs[1])});
}

Status LowerEinsum(Lowering& lowering, const model::Node& node) {
  ValueRefs operands;
  for (const model::ValueId id : node.inputs) {
    operands.ids.push_back(lowering.TensorId(id));
  }
  return lowering.Finish("aten::einsum", "", {node.String("equation", ""), std::move(operands)});
}

Status LowerAttention(Lowering& lowering, const model::Node& node) {
  for (std::size_t i = 0; i < 3; ++i) {
    if (lowering.Rank(node.inputs[i]) != 4) {
      return lowering.Unsupported(
          "query, key and value of shape [batch, heads, length, width] only");
    }
  }
  const bool causal = node.Int("is_causal", 0) != 0;
  if (lowering.Operand(4) != model::kNone || lowering.Operand(6) != model::kNone ||
      node.Float("softcap", 0.0) != 0.0 || node.Int("left_window_size", -1) >= 0 ||
      node.Int("right_window_size", -1) >= 0) {
    return lowering.Unsupported("past keys, lengths, windows and softcap have no counterpart");
  }
  if (causal && lowering.Operand(3) != model::kNone) {
    return lowering.Unsupported("PyTorch takes a mask or a causal one, not both");
  }
  const double scale = Decimal(node.Float("scale", 0.0));
  const bool grouped = lowering.Shape(node.inputs[0])[1] != lowering.Shape(node.inputs[1])[1];
  Arguments arguments = {lowering.Tensor(node.inputs[0]),
                         lowering.Tensor(node.inputs[1]),
                         lowering.Tensor(node.inputs[2]),
                         lowering.Tensor(lowering.Operand(3)),
                         0.0,
                         causal,
                         scale == 0.0 ? Argument(Default{}) : Argument(scale),
                         grouped};
  return lowering.Finish(
      "aten::scaled_dot_product_attention", "",
      WithoutDefaults(std::move(arguments), {Default{}, 0.0, false, Default{}, false}));
}

}  // namespace assay::aten
