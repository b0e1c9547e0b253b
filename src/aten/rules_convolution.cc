// Convolutions, and padding.
#include <algorithm>
#include <string>

#include "aten/rules.h"
#include "aten/window.h"

namespace assay::aten {

Status LowerConv(Lowering& lowering, const model::Node& node) {
  const std::int64_t rank = lowering.Rank(node.inputs[0]);
  if (rank < 3 || rank > 5) {
    return lowering.Unsupported("inputs of 1 to 3 spatial dimensions only");
  }
  const tensor::Shape& weight = lowering.Shape(node.inputs[1]);
  const Window window = ReadWindow(lowering, node, {weight.begin() + 2, weight.end()});
  const std::size_t dimensions = window.kernel.size();
  const Integers64 ones(dimensions, 1);
  Arguments arguments = {PaddedInput(lowering, window, 0.0),
                         lowering.Tensor(node.inputs[1]),
                         lowering.Tensor(lowering.Operand(2)),
                         window.stride,
                         window.padding,
                         window.dilation,
                         node.Int("group", 1)};
  return lowering.Finish(
      "aten::conv" + std::to_string(dimensions) + "d", "",
      WithoutDefaults(std::move(arguments),
                      {Default{}, ones, Integers64(dimensions, 0), ones, std::int64_t{1}}));
}

Status LowerPad(Lowering& lowering, const model::Node& node) {
  const auto pads = lowering.opset() < 11 ? node.Ints("pads") : lowering.Ints(lowering.Operand(1));
  const auto rank = static_cast<std::size_t>(lowering.Rank(node.inputs[0]));
  if (!pads || pads->size() != 2 * rank || lowering.Operand(3) != model::kNone) {
    return lowering.Unsupported("only constant amounts for all dimensions");
  }
  Integers64 amounts;  // last dimension first, begin then end
  for (std::size_t i = 0; i < rank; ++i) {
    amounts.insert(amounts.begin(), {(*pads)[i], (*pads)[i + rank]});
  }
  while (amounts.size() > 2 && amounts.back() == 0 && amounts[amounts.size() - 2] == 0) {
    amounts.resize(amounts.size() - 2);
  }
  const Argument input = lowering.Tensor(node.inputs[0]);
  const std::string mode = node.String("mode", "constant");
  if (mode == "constant") {
    const double value = lowering.Number(lowering.Operand(2)).value_or(node.Float("value", 0.0));
    return lowering.Finish("aten::constant_pad_nd", "",
                           WithoutDefaults({input, amounts, value}, {0.0}));
  }
  return lowering.Finish("aten::pad", "",
                         {input, amounts,
                          mode == "edge"   ? std::string("replicate")
                          : mode == "wrap" ? std::string("circular")
                                           : mode});
}

}  // namespace assay::aten
