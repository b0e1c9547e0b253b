// Normalisation: over the batch, layers, groups, planes, neighbouring channels.
#include <algorithm>
#include <string>
#include <utility>

#include "aten/axes.h"
#include "aten/constants.h"
#include "aten/rules.h"

namespace assay::aten {
namespace {

/// The shape from the node's axis on, which PyTorch wants scale and bias to have.
Result<tensor::Shape> NormalizedShape(const Lowering& lowering, const model::Node& node) {
  const tensor::Shape& shape = lowering.Shape(node.inputs[0]);
  const std::int64_t axis = FromFront(node.Int("axis", -1), lowering.Rank(node.inputs[0]));
  if (axis < 0 || axis > lowering.Rank(node.inputs[0])) {
    return lowering.Unsupported("an axis that the input lacks");
  }
  tensor::Shape normalized(shape.begin() + axis, shape.end());
  for (std::size_t position = 1; position < node.inputs.size(); ++position) {
    const model::ValueId id = node.inputs[position];
    if (id != model::kNone && lowering.Shape(id) != normalized) {
      return lowering.Unsupported("a scale or bias that needs broadcasting");
    }
  }
  return normalized;
}

double Epsilon(const model::Node& node) { return Decimal(node.Float("epsilon", 1e-5)); }

}  // namespace

Status LowerBatchNormalization(Lowering& lowering, const model::Node& node) {
  if (node.Int("training_mode", 0) != 0) {
    return lowering.Unsupported("training mode");
  }
  Arguments arguments;
  for (const model::ValueId id : node.inputs) {  // x, scale, bias, mean, variance
    arguments.push_back(lowering.Tensor(id));
  }
  // ONNX's momentum is the share of the old statistics, PyTorch's that of the new ones.
  const double momentum = Decimal(1.0 - Decimal(node.Float("momentum", 0.9)));
  const double eps = Decimal(node.Float("epsilon", 1e-5));
  arguments.insert(arguments.end(), {false, momentum, eps, true});
  return lowering.Finish("aten::batch_norm", "", std::move(arguments));
}

Status LowerLayerNormalization(Lowering& lowering, const model::Node& node) {
  ASSAY_ASSIGN(const tensor::Shape normalized, NormalizedShape(lowering, node));
  Arguments arguments = {lowering.Tensor(node.inputs[0]), normalized,
                         lowering.Tensor(lowering.Operand(1)), lowering.Tensor(lowering.Operand(2)),
                         Epsilon(node)};
  const bool wants_statistics = std::any_of(node.outputs.begin() + 1, node.outputs.end(),
                                            [&](auto id) { return lowering.IsRead(id); });
  if (!wants_statistics) {
    return lowering.Finish("aten::layer_norm", "",
                           WithoutDefaults(std::move(arguments), {Default{}, Default{}, 1e-5}));
  }
  const std::vector<ValueId> made =
      lowering.EmitSeveral("aten::native_layer_norm", "", std::move(arguments), 3);
  for (std::size_t i = 0; i < node.outputs.size(); ++i) {
    lowering.Bind(node.outputs[i], made[i]);
  }
  return {};
}

Status LowerRmsNormalization(Lowering& lowering, const model::Node& node) {
  ASSAY_ASSIGN(const tensor::Shape normalized, NormalizedShape(lowering, node));
  return lowering.Finish("aten::rms_norm", "",
                         {lowering.Tensor(node.inputs[0]), normalized,
                          lowering.Tensor(lowering.Operand(1)), Epsilon(node)});
}

Status LowerInstanceNormalization(Lowering& lowering, const model::Node& node) {
  return lowering.Finish(
      "aten::instance_norm", "",
      {lowering.Tensor(node.inputs[0]), lowering.Tensor(node.inputs[1]),
       lowering.Tensor(node.inputs[2]), Default{}, Default{}, true, 0.1, Epsilon(node), true});
}

Status LowerGroupNormalization(Lowering& lowering, const model::Node& node) {
  const Integers64 by_channel = {SizeAlong(lowering, node.inputs[0], 1)};
  if (lowering.Shape(node.inputs[1]) != by_channel) {
    return lowering.Unsupported("a scale for each group; PyTorch has one for each channel");
  }
  return lowering.Finish(
      "aten::group_norm", "",
      WithoutDefaults(
          {lowering.Tensor(node.inputs[0]), node.Int("num_groups", 1),
           lowering.Tensor(node.inputs[1]), lowering.Tensor(node.inputs[2]), Epsilon(node)},
          {1e-5}));
}

/// (x - mean(x)) / (sqrt(mean(x^2) - mean(x)^2) + 1e-9).
/// Source  ONNX operator MeanVarianceNormalization, its function body.
Status LowerMeanVarianceNormalization(Lowering& lowering, const model::Node& node) {
  const Argument input = lowering.Tensor(node.inputs[0]);
  const Integers64 axes = node.Ints("axes", {0, 2, 3});
  const auto emit = [&](const std::string& op, const std::string& overload, Arguments arguments) {
    return Argument(ValueRef{lowering.Emit("aten::" + op, overload, std::move(arguments))});
  };
  const Argument mean = emit("mean", "dim", {input, axes, true});
  const Argument squares = emit("mean", "dim", {emit("square", "", {input}), axes, true});
  const Argument variance = emit("sub", "Tensor", {squares, emit("square", "", {mean})});
  const Argument divisor = emit("add", "Scalar", {emit("sqrt", "", {variance}), 1e-9});
  return lowering.Finish("aten::div", "Tensor", {emit("sub", "Tensor", {input, mean}), divisor});
}

/// As F.local_response_norm: the squares of neighbouring channels are averaged as depth.
/// Source  Krizhevsky et al., NeurIPS 2012, section 3.3; ONNX divides alpha by the size.
Status LowerLrn(Lowering& lowering, const model::Node& node) {
  const std::int64_t size = node.Int("size", 1);
  const tensor::Shape& shape = lowering.Shape(node.inputs[0]);
  if (shape.size() < 3) {
    return lowering.Unsupported("inputs with spatial dimensions only");
  }
  std::int64_t rest = 1;
  for (std::size_t i = 3; i < shape.size(); ++i) {
    rest *= shape[i];
  }
  const Argument input = lowering.Tensor(node.inputs[0]);
  const auto emit = [&](const std::string& op, const std::string& overload, Arguments arguments) {
    return Argument(ValueRef{lowering.Emit("aten::" + op, overload, std::move(arguments))});
  };
  Argument made = emit("square", "", {input});
  made = emit("reshape", "", {made, Integers64{shape[0], 1, shape[1], shape[2], rest}});
  made = emit("constant_pad_nd", "", {made, Integers64{0, 0, 0, 0, (size - 1) / 2, size / 2}});
  made = emit("avg_pool3d", "", {made, Integers64{size, 1, 1}, Integers64{1, 1, 1}});
  made = emit("reshape", "", {made, shape});
  made = emit("mul", "Scalar", {made, Decimal(node.Float("alpha", 1e-4))});
  made = emit("add", "Scalar", {made, Decimal(node.Float("bias", 1.0))});
  made = emit("pow", "Tensor_Scalar", {made, Decimal(node.Float("beta", 0.75))});
  return lowering.Finish("aten::div", "Tensor", {input, made});
}

}  // namespace assay::aten
