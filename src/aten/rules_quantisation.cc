// QDQ nodes, exactly as ONNX defines them: rounded and saturated integers.
#include "aten/axes.h"
#include "aten/constants.h"
#include "aten/rules.h"

namespace assay::aten {
namespace {

/// A scale or zero point as it broadcasts along the node's axis.
Result<Argument> AlongAxis(Lowering& lowering, const model::Node& node, model::ValueId id) {
  const Argument tensor = lowering.Tensor(id);
  if (lowering.Rank(id) == 0) {
    return tensor;
  }
  if (lowering.Rank(id) != 1 || node.Int("block_size", 0) != 0) {
    return lowering.Unsupported("scales for blocks of elements");
  }
  const std::int64_t rank = lowering.Rank(node.inputs[0]);
  tensor::Shape shape(static_cast<std::size_t>(rank), 1);
  if (lowering.Shape(id) != tensor::Shape{1}) {
    const std::int64_t axis = FromFront(node.Int("axis", 1), rank);
    if (axis < 0 || axis >= rank) {
      return lowering.Unsupported("an axis that the input lacks");
    }
    shape[static_cast<std::size_t>(axis)] = lowering.Shape(id)[0];
  }
  return Argument(
      ValueRef{lowering.Emit("aten::reshape", "", {tensor, shape}, Storage::kFirstArgument)});
}

Argument CastTo(Lowering& lowering, const Argument& value, tensor::DType dtype) {
  return ValueRef{
      lowering.Emit("aten::to", "dtype", {value, DTypeArg{dtype}}, Storage::kFirstArgument)};
}

}  // namespace

/// saturate(round(x / scale) + zero point); both round halves to even.
Status LowerQuantizeLinear(Lowering& lowering, const model::Node& node) {
  const tensor::DType dtype = lowering.Value(node.outputs[0]).type.dtype;
  const auto limits = IntegerRange(dtype);
  if (!limits || lowering.Value(node.inputs[0]).type.dtype != tensor::DType::kFloat32) {
    return lowering.Unsupported("float32 to integers of 8 and 16 bits only");
  }
  ASSAY_ASSIGN(const Argument scale, AlongAxis(lowering, node, node.inputs[1]));
  Argument made =
      ValueRef{lowering.Emit("aten::div", "Tensor", {lowering.Tensor(node.inputs[0]), scale})};
  made = ValueRef{lowering.Emit("aten::round", "", {made})};
  if (const model::ValueId zero = lowering.Operand(2); zero != model::kNone) {
    ASSAY_ASSIGN(const Argument point, AlongAxis(lowering, node, zero));
    made = ValueRef{lowering.Emit("aten::add", "Tensor", {made, point})};
  }
  made = ValueRef{lowering.Emit("aten::clamp", "", {made, limits->low, limits->high})};
  return lowering.Finish("aten::to", "dtype", {made, DTypeArg{dtype}}, Storage::kFirstArgument);
}

/// (x - zero point) * scale, the difference in floating point: exact for 8 and 16 bits, and for the
/// biases of 32 bits, which have no zero point.
Status LowerDequantizeLinear(Lowering& lowering, const model::Node& node) {
  const tensor::DType from = lowering.Value(node.inputs[0]).type.dtype;
  const tensor::DType dtype = lowering.Value(node.outputs[0]).type.dtype;
  if ((!IntegerRange(from) && from != tensor::DType::kInt32) || dtype != tensor::DType::kFloat32) {
    return lowering.Unsupported("integers of 8, 16 and 32 bits to float32 only");
  }
  ASSAY_ASSIGN(const Argument scale, AlongAxis(lowering, node, node.inputs[1]));
  Argument made = CastTo(lowering, lowering.Tensor(node.inputs[0]), dtype);
  if (const model::ValueId zero = lowering.Operand(2); zero != model::kNone) {
    ASSAY_ASSIGN(const Argument point, AlongAxis(lowering, node, zero));
    made = ValueRef{lowering.Emit("aten::sub", "Tensor", {made, point})};
  }
  return lowering.Finish("aten::mul", "Tensor", {made, scale});
}

}  // namespace assay::aten
