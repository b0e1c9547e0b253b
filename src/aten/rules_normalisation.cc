// Batch and layer normalisation.
#include "aten/constants.h"
#include "aten/rules.h"

namespace assay::aten {

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
  const std::int64_t rank = lowering.Rank(node.inputs[0]);
  const std::int64_t axis = node.Int("axis", -1);
  const tensor::Shape& shape = lowering.Shape(node.inputs[0]);
  const Integers64 normalized(shape.begin() + (axis < 0 ? axis + rank : axis), shape.end());
  for (std::size_t position = 1; position < node.inputs.size(); ++position) {
    const model::ValueId id = node.inputs[position];
    if (id != model::kNone && lowering.Shape(id) != normalized) {
      return lowering.Unsupported("a scale or bias that needs broadcasting");
    }
  }
  return lowering.Finish(
      "aten::layer_norm", "",
      WithoutDefaults(
          {lowering.Tensor(node.inputs[0]), normalized, lowering.Tensor(lowering.Operand(1)),
           lowering.Tensor(lowering.Operand(2)), Decimal(node.Float("epsilon", 1e-5))},
          {Default{}, Default{}, 1e-5}));
}

}  // namespace assay::aten
