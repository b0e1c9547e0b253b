// Element by element: arithmetic, comparisons, functions of one operand.
#include <algorithm>
#include <array>
#include <string>

#include "aten/constants.h"
#include "aten/rules.h"

namespace assay::aten {
namespace {

struct Names {
  std::string_view onnx;
  std::string_view aten;
};

constexpr auto kUnary = std::to_array<Names>({
    {"Abs", "abs"},         {"Acos", "acos"},
    {"Acosh", "acosh"},     {"Asin", "asin"},
    {"Asinh", "asinh"},     {"Atan", "atan"},
    {"Atanh", "atanh"},     {"BitwiseNot", "bitwise_not"},
    {"Ceil", "ceil"},       {"Cos", "cos"},
    {"Cosh", "cosh"},       {"Det", "linalg_det"},
    {"Erf", "erf"},         {"Exp", "exp"},
    {"Floor", "floor"},     {"IsNaN", "isnan"},
    {"Log", "log"},         {"Neg", "neg"},
    {"Not", "logical_not"}, {"Reciprocal", "reciprocal"},
    {"Round", "round"},     {"Sigmoid", "sigmoid"},
    {"Sign", "sign"},       {"Sin", "sin"},
    {"Sinh", "sinh"},       {"Softplus", "softplus"},
    {"Sqrt", "sqrt"},       {"Tan", "tan"},
    {"Tanh", "tanh"},
});

constexpr auto kBinary = std::to_array<Names>({
    {"Add", "add"},
    {"Div", "div"},
    {"Mul", "mul"},
    {"Sub", "sub"},
    {"Equal", "eq"},
    {"Greater", "gt"},
    {"GreaterOrEqual", "ge"},
    {"Less", "lt"},
    {"LessOrEqual", "le"},
    {"And", "logical_and"},
    {"Or", "logical_or"},
    {"Xor", "logical_xor"},
    {"BitwiseAnd", "bitwise_and"},
    {"BitwiseOr", "bitwise_or"},
    {"BitwiseXor", "bitwise_xor"},
    {"Max", "maximum"},
    {"Mean", "add"},
    {"Min", "minimum"},
    {"Sum", "add"},
});

std::string AtenName(const auto& table, std::string_view onnx) {
  const auto found = std::ranges::find(table, onnx, &Names::onnx);
  return "aten::" + std::string(found->aten);
}

/// The number that operand `position` stands for when it is a constant that leaves the other
/// operand's shape as it is, as a Scalar argument. Trained weights stay tensors.
std::optional<Argument> ScalarOperand(const Lowering& lowering, const model::Node& node,
                                      std::size_t position) {
  const model::ValueId id = node.inputs[position];
  const auto number = lowering.Number(id);
  const auto& weight = lowering.Value(id).weight;
  if (!number || (weight && !weight->file.empty()) ||
      lowering.Rank(id) > lowering.Rank(node.inputs[1 - position])) {
    return std::nullopt;
  }
  return lowering.Scalar(id, *number);
}

/// Whether `node` is the end of a convolutional block's branch: its last convolution or batch norm,
/// or ConvNeXt's layer scale, a product with a weight of C x 1 x 1.
bool EndsBranch(const Lowering& lowering, const model::Node& node) {
  if (node.op != "Mul") {
    return node.op == "BatchNormalization" || node.op == "Conv";
  }
  const tensor::Shape& scale = lowering.Shape(node.inputs[0]);
  return lowering.Value(node.inputs[0]).weight && scale.size() == 3 && scale[1] == 1 &&
         scale[2] == 1;
}

/// How eager PyTorch adds a residual in a convolutional network: `out += identity` where `out` is
/// the end of the block's branch, but x + f(x) makes a new tensor; so do transformers.
bool AddsInPlace(const Lowering& lowering, const model::Node& node) {
  const model::Node* maker = lowering.MadeBy(node.inputs[0]);
  return maker != nullptr && EndsBranch(lowering, *maker) &&
         lowering.MayOverwrite(node.inputs[0]) &&
         !lowering.ComesFrom(node.inputs[1], node.inputs[0]);
}

/// number - x and number / x; sums and products take the number as the second operand.
Status NumberFirst(Lowering& lowering, const model::Node& node, const Argument& number) {
  const Argument tensor = lowering.Tensor(node.inputs[1]);
  if (node.op == "Sub") {
    return lowering.Finish("aten::rsub", "Scalar", {tensor, number});
  }
  if (node.op == "Div") {
    const ValueId inverse = lowering.Emit("aten::reciprocal", "", {tensor});
    return lowering.Finish("aten::mul", "Scalar", {ValueRef{inverse}, number});
  }
  return lowering.Finish(AtenName(kBinary, node.op), "Scalar", {tensor, number});
}

}  // namespace

Status LowerUnary(Lowering& lowering, const model::Node& node) {
  return lowering.Finish(AtenName(kUnary, node.op), "", {lowering.Tensor(node.inputs[0])});
}

Status LowerArithmetic(Lowering& lowering, const model::Node& node) {
  const std::string op = AtenName(kBinary, node.op);
  if (node.op == "Div" && !lowering.IsFloat(node.inputs[0])) {  // integers: towards zero
    return lowering.Finish(
        "aten::div", "Tensor_mode",
        {lowering.Tensor(node.inputs[0]), lowering.Tensor(node.inputs[1]), std::string("trunc")});
  }
  if (const auto number = ScalarOperand(lowering, node, 1)) {
    return lowering.Finish(op, "Scalar", {lowering.Tensor(node.inputs[0]), *number});
  }
  if (const auto number = ScalarOperand(lowering, node, 0)) {
    return NumberFirst(lowering, node, *number);
  }
  const bool in_place = node.op == "Add" && AddsInPlace(lowering, node);
  return lowering.Finish(op + (in_place ? "_" : ""), "Tensor",
                         {lowering.Tensor(node.inputs[0]), lowering.Tensor(node.inputs[1])},
                         in_place ? Storage::kFirstArgument : Storage::kOwn);
}

Status LowerComparison(Lowering& lowering, const model::Node& node) {
  const bool logical = node.op == "And" || node.op == "Or" || node.op == "Xor";
  return lowering.Finish(AtenName(kBinary, node.op), logical ? "" : "Tensor",
                         {lowering.Tensor(node.inputs[0]), lowering.Tensor(node.inputs[1])});
}

Status LowerBitShift(Lowering& lowering, const model::Node& node) {
  const bool left = node.String("direction", "") == "LEFT";
  return lowering.Finish(left ? "aten::bitwise_left_shift" : "aten::bitwise_right_shift", "Tensor",
                         {lowering.Tensor(node.inputs[0]), lowering.Tensor(node.inputs[1])});
}

Status LowerMod(Lowering& lowering, const model::Node& node) {
  return lowering.Finish(node.Int("fmod", 0) != 0 ? "aten::fmod" : "aten::remainder", "Tensor",
                         {lowering.Tensor(node.inputs[0]), lowering.Tensor(node.inputs[1])});
}

/// Any number of operands, two at a time.
Status LowerVariadic(Lowering& lowering, const model::Node& node) {
  const std::string op = AtenName(kBinary, node.op);
  ValueId made = lowering.TensorId(node.inputs[0]);
  for (std::size_t i = 1; i < node.inputs.size(); ++i) {
    made = lowering.Emit(op, op == "aten::add" ? "Tensor" : "",
                         {ValueRef{made}, lowering.Tensor(node.inputs[i])});
  }
  if (node.op == "Mean") {
    made = lowering.Emit("aten::div", "Scalar",
                         {ValueRef{made}, static_cast<double>(node.inputs.size())});
  }
  lowering.Bind(node.outputs[0], made);
  return {};
}

Status LowerIsInf(Lowering& lowering, const model::Node& node) {
  const bool positive = node.Int("detect_positive", 1) != 0;
  const bool negative = node.Int("detect_negative", 1) != 0;
  if (!positive && !negative) {
    return lowering.Unsupported("neither infinity is asked for");
  }
  const std::string op = positive && negative ? "isinf" : positive ? "isposinf" : "isneginf";
  return lowering.Finish("aten::" + op, "", {lowering.Tensor(node.inputs[0])});
}

Status LowerPow(Lowering& lowering, const model::Node& node) {
  const Argument base = lowering.Tensor(node.inputs[0]);
  if (!lowering.IsFloat(node.inputs[0]) && lowering.IsFloat(node.inputs[1])) {
    return lowering.Unsupported("integers to the power of fractions are fractions in PyTorch");
  }
  if (const auto exponent = ScalarOperand(lowering, node, 1)) {
    return lowering.Finish("aten::pow", "Tensor_Scalar", {base, *exponent});
  }
  return lowering.Finish("aten::pow", "Tensor_Tensor", {base, lowering.Tensor(node.inputs[1])});
}

Status LowerWhere(Lowering& lowering, const model::Node& node) {
  return lowering.Finish("aten::where", "self",
                         {lowering.Tensor(node.inputs[0]), lowering.Tensor(node.inputs[1]),
                          lowering.Tensor(node.inputs[2])});
}

Status LowerCast(Lowering& lowering, const model::Node& node) {
  return lowering.Finish(
      "aten::to", "dtype",
      {lowering.Tensor(node.inputs[0]), DTypeArg{lowering.Value(node.outputs[0]).type.dtype}},
      Storage::kFirstArgument);
}

}  // namespace assay::aten
