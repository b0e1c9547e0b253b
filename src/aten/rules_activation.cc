// Activations, in place where their input's last use allows it, and dropout.
#include <algorithm>
#include <array>
#include <cmath>
#include <string>
#include <utility>

#include "aten/axes.h"
#include "aten/constants.h"
#include "aten/rules.h"

namespace assay::aten {
namespace {

struct Activation {
  std::string_view onnx;
  std::string_view aten;
  std::string_view attribute = "";  // of the one parameter, if any
  double otherwise = 0;
};

constexpr auto kActivations = std::to_array<Activation>({
    {"Celu", "celu", "alpha", 1.0},
    {"Elu", "elu", "alpha", 1.0},
    {"HardSwish", "hardswish"},
    {"LeakyRelu", "leaky_relu", "alpha", 0.01},
    {"Mish", "mish"},
    {"Relu", "relu"},
    {"Silu", "silu"},
});

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
  const auto& form = *std::ranges::find(kActivations, node.op, &Activation::onnx);
  Arguments arguments;
  if (!form.attribute.empty()) {
    arguments.push_back(Decimal(node.Float(form.attribute, form.otherwise)));
  }
  return EmitActivation(lowering, node, std::string(form.aten), std::move(arguments));
}

Status LowerSelu(Lowering& lowering, const model::Node& node) {
  // Source  Klambauer et al., arXiv 1706.02515, section 2; ONNX rounds them to float32.
  constexpr double kAlpha = 1.6732632423543772;
  constexpr double kGamma = 1.0507009873554805;
  const double alpha = node.Float("alpha", kAlpha);
  const double gamma = node.Float("gamma", kGamma);
  if (std::abs(alpha - kAlpha) < 1e-6 && std::abs(gamma - kGamma) < 1e-6) {
    return EmitActivation(lowering, node, "selu");
  }
  return EmitActivation(lowering, node, "elu", {Decimal(alpha), Decimal(gamma)});
}

Status LowerThresholdedRelu(Lowering& lowering, const model::Node& node) {
  return EmitActivation(lowering, node, "threshold", {Decimal(node.Float("alpha", 1.0)), 0.0});
}

Status LowerHardSigmoid(Lowering& lowering, const model::Node& node) {
  const double alpha = node.Float("alpha", 0.2);
  const double beta = node.Float("beta", 0.5);
  if (std::abs(alpha - 1.0 / 6) < 1e-6 && beta == 0.5) {
    return EmitActivation(lowering, node, "hardsigmoid");
  }
  const ValueId product =
      lowering.Emit("aten::mul", "Scalar", {lowering.Tensor(node.inputs[0]), Decimal(alpha)});
  const ValueId sum = lowering.Emit("aten::add", "Scalar", {ValueRef{product}, Decimal(beta)});
  return lowering.Finish("aten::clamp", "", {ValueRef{sum}, 0.0, 1.0});
}

Status LowerShrink(Lowering& lowering, const model::Node& node) {
  const double lambda = Decimal(node.Float("lambd", 0.5));
  const double bias = Decimal(node.Float("bias", 0.0));
  if ((bias != 0.0 && bias != lambda) || !lowering.IsFloat(node.inputs[0])) {
    return lowering.Unsupported("PyTorch shrinks floating-point elements, by lambd or not at all");
  }
  return lowering.Finish(bias == 0.0 ? "aten::hardshrink" : "aten::softshrink", "",
                         {lowering.Tensor(node.inputs[0]), lambda});
}

Status LowerSoftsign(Lowering& lowering, const model::Node& node) {
  const Argument input = lowering.Tensor(node.inputs[0]);
  const ValueId size = lowering.Emit("aten::abs", "", {input});
  const ValueId divisor = lowering.Emit("aten::add", "Scalar", {ValueRef{size}, 1.0});
  return lowering.Finish("aten::div", "Tensor", {input, ValueRef{divisor}});
}

Status LowerSwish(Lowering& lowering, const model::Node& node) {
  const double alpha = Decimal(node.Float("alpha", 1.0));
  if (alpha == 1.0) {
    return EmitActivation(lowering, node, "silu");
  }
  const Argument input = lowering.Tensor(node.inputs[0]);
  const ValueId scaled = lowering.Emit("aten::mul", "Scalar", {input, alpha});
  const ValueId gate = lowering.Emit("aten::sigmoid", "", {ValueRef{scaled}});
  return lowering.Finish("aten::mul", "Tensor", {input, ValueRef{gate}});
}

/// PyTorch's slope is a number or a vector with one entry for each channel.
Status LowerPRelu(Lowering& lowering, const model::Node& node) {
  const Argument input = lowering.Tensor(node.inputs[0]);
  const std::int64_t rank = lowering.Rank(node.inputs[0]);
  const tensor::Shape& slope = lowering.Shape(node.inputs[1]);
  const std::int64_t channels = rank > 1 ? lowering.Shape(node.inputs[0])[1] : 1;
  tensor::Shape by_channel(static_cast<std::size_t>(std::max<std::int64_t>(rank - 1, 1)), 1);
  by_channel[0] = channels;
  Argument weight = lowering.Tensor(node.inputs[1]);
  const bool first = lowering.opset() < 7 && slope == tensor::Shape{channels};  // of channels
  if (slope == by_channel || first || *tensor::ElementCount(slope) == 1) {
    if (slope.size() != 1) {
      weight = ValueRef{
          lowering.Emit("aten::reshape", "", {weight, Integers64{-1}}, Storage::kFirstArgument)};
    }
    return lowering.Finish("aten::prelu", "", {input, weight});
  }
  const ValueId positive = lowering.Emit("aten::ge", "Scalar", {input, 0.0});
  const ValueId scaled = lowering.Emit("aten::mul", "Tensor", {input, weight});
  return lowering.Finish("aten::where", "self", {ValueRef{positive}, input, ValueRef{scaled}});
}

Status LowerClip(Lowering& lowering, const model::Node& node) {
  const bool attributes = lowering.opset() < 11;
  Arguments bounds = {Default{}, Default{}};
  bool known = true;
  for (const auto& [name, position] : {std::pair("min", 1U), std::pair("max", 2U)}) {
    const model::ValueId id = lowering.Operand(position);
    const auto number = attributes && node.attributes.contains(name)
                            ? std::optional(Decimal(node.Float(name, 0.0)))
                            : lowering.Number(id);
    if (number) {
      bounds[position - 1] = lowering.Scalar(node.inputs[0], *number);
    }
    known = known && (number || id == model::kNone);
  }
  const Argument input = lowering.Tensor(node.inputs[0]);
  if (!known) {
    return lowering.Finish("aten::clamp", "Tensor",
                           WithoutDefaults({input, lowering.Tensor(lowering.Operand(1)),
                                            lowering.Tensor(lowering.Operand(2))},
                                           {Default{}, Default{}}));
  }
  if (bounds == Arguments{Default{}, Default{}}) {
    return LowerIdentity(lowering, node);
  }
  if (bounds == Arguments{0.0, 6.0}) {  // ReLU6 is nn.Hardtanh(0, 6)
    return EmitActivation(lowering, node, "hardtanh", std::move(bounds));
  }
  return lowering.Finish("aten::clamp", "",
                         WithoutDefaults({input, bounds[0], bounds[1]}, {Default{}, Default{}}));
}

Status LowerGelu(Lowering& lowering, const model::Node& node) {
  const std::string approximate = node.String("approximate", "none");
  return lowering.Finish(
      "aten::gelu", "",
      WithoutDefaults({lowering.Tensor(node.inputs[0]), approximate}, {std::string("none")}));
}

Status LowerSoftmax(Lowering& lowering, const model::Node& node) {
  const std::string op = node.op == "Softmax" ? "aten::softmax" : "aten::log_softmax";
  const std::int64_t rank = lowering.Rank(node.inputs[0]);
  const std::int64_t axis = node.Int("axis", lowering.opset() < 13 ? 1 : -1);
  if (lowering.opset() >= 13 || FromFront(axis, rank) == rank - 1) {
    return lowering.Finish(op, "int", {lowering.Tensor(node.inputs[0]), axis});
  }
  // Over all dimensions from the axis on.
  const std::int64_t from = FromFront(axis, rank);
  const ValueId flat = lowering.Emit("aten::flatten", "using_ints",
                                     {lowering.Tensor(node.inputs[0]), from, std::int64_t{-1}},
                                     Storage::kFirstArgument);
  const ValueId made = lowering.Emit(op, "int", {ValueRef{flat}, from});
  return lowering.Finish("aten::reshape", "", {ValueRef{made}, lowering.Shape(node.inputs[0])},
                         Storage::kFirstArgument);
}

Status LowerHardmax(Lowering& lowering, const model::Node& node) {
  const std::int64_t axis = node.Int("axis", lowering.opset() < 13 ? 1 : -1);
  if (FromFront(axis, lowering.Rank(node.inputs[0])) != lowering.Rank(node.inputs[0]) - 1 &&
      lowering.opset() < 13) {
    return lowering.Unsupported("before opset 13 it flattens all dimensions from its axis on");
  }
  const Argument input = lowering.Tensor(node.inputs[0]);
  const ValueId largest = lowering.Emit("aten::argmax", "", {input, axis, true});
  const ValueId zeros = lowering.Emit("aten::zeros_like", "", {input});
  return lowering.Finish("aten::scatter", "value",
                         {ValueRef{zeros}, axis, ValueRef{largest}, std::int64_t{1}});
}

Status LowerDropout(Lowering& lowering, const model::Node& node) {
  const double ratio = lowering.Number(lowering.Operand(1)).value_or(node.Float("ratio", 0.5));
  if (lowering.Operand(2) != model::kNone && lowering.Number(lowering.Operand(2)) != 0.0) {
    return lowering.Unsupported("training mode");
  }
  return lowering.Finish("aten::dropout", "",
                         {lowering.Tensor(node.inputs[0]), Decimal(ratio), false},
                         Storage::kFirstArgument);
}

}  // namespace assay::aten
