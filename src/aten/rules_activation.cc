// Activations, in place where their input's last use allows it, and dropout.
#include <cmath>
#include <string>
#include <tuple>

#include "aten/constants.h"
#include "aten/rules.h"

namespace assay::aten {
namespace {

/// `op` on the first operand with further `arguments`, as `op_` when it may be overwritten.
Status EmitActivation(Lowering& lowering, const model::Node& node, std::string op,
                      Arguments arguments = {}) {
  const bool in_place = lowering.MayOverwrite(node.inputs[0]);
  arguments.insert(arguments.begin(), lowering.Tensor(node.inputs[0]));
  return lowering.Finish("aten::" + op + (in_place ? "_" : ""), "", std::move(arguments),
                         in_place ? Storage::kFirstArgument : Storage::kOwn);
}

}  // namespace

Status LowerActivation(Lowering& lowering, const model::Node& node) {
  const std::string op = node.op == "Relu" ? "relu" : node.op == "Silu" ? "silu" : "hardswish";
  return EmitActivation(lowering, node, op);
}

Status LowerLeakyRelu(Lowering& lowering, const model::Node& node) {
  return EmitActivation(lowering, node, "leaky_relu", {Decimal(node.Float("alpha", 0.01))});
}

Status LowerHardSigmoid(Lowering& lowering, const model::Node& node) {
  if (std::abs(node.Float("alpha", 0.2) - 1.0 / 6) > 1e-6 || node.Float("beta", 0.5) != 0.5) {
    return lowering.Unsupported("PyTorch's hardsigmoid has alpha 1/6 and beta 0.5");
  }
  return EmitActivation(lowering, node, "hardsigmoid");
}

Status LowerClip(Lowering& lowering, const model::Node& node) {
  const bool attributes = lowering.opset() < 11;
  Argument low = Default{};
  Argument high = Default{};
  for (const auto& [bound, name, position] :
       {std::tuple(&low, "min", 1U), std::tuple(&high, "max", 2U)}) {
    const model::ValueId id = lowering.Operand(position);
    if (attributes && node.attributes.contains(name)) {
      *bound = Decimal(node.Float(name, 0.0));
    } else if (id != model::kNone) {
      const auto number = lowering.Number(id);
      if (!number) {
        return lowering.Unsupported("bounds that are no constants");
      }
      *bound = *number;
    }
  }
  if (low == Argument(0.0) && high == Argument(6.0)) {  // ReLU6 is nn.Hardtanh(0, 6)
    return EmitActivation(lowering, node, "hardtanh", {low, high});
  }
  return lowering.Finish(
      "aten::clamp", "",
      WithoutDefaults({lowering.Tensor(node.inputs[0]), low, high}, {Default{}, Default{}}));
}

Status LowerGelu(Lowering& lowering, const model::Node& node) {
  const std::string approximate = node.String("approximate", "none");
  return lowering.Finish(
      "aten::gelu", "",
      WithoutDefaults({lowering.Tensor(node.inputs[0]), approximate}, {std::string("none")}));
}

Status LowerSoftmax(Lowering& lowering, const model::Node& node) {
  const std::int64_t rank = lowering.Rank(node.inputs[0]);
  const std::int64_t axis = node.Int("axis", lowering.opset() < 13 ? 1 : -1);
  if (lowering.opset() < 13 && axis != -1 && axis != rank - 1) {
    return lowering.Unsupported("before opset 13 it flattens all dimensions from its axis on");
  }
  return lowering.Finish(node.op == "Softmax" ? "aten::softmax" : "aten::log_softmax", "int",
                         {lowering.Tensor(node.inputs[0]), axis});
}

Status LowerDropout(Lowering& lowering, const model::Node& node) {
  const double ratio = lowering.Number(lowering.Operand(1)).value_or(node.Float("ratio", 0.5));
  if (lowering.Number(lowering.Operand(2)).value_or(0.0) != 0.0) {
    return lowering.Unsupported("training mode");
  }
  return lowering.Finish("aten::dropout", "",
                         {lowering.Tensor(node.inputs[0]), Decimal(ratio), false},
                         Storage::kFirstArgument);
}

}  // namespace assay::aten
