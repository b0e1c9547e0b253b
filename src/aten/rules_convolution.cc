// Convolutions, transposed ones, and padding.
#include <algorithm>
#include <string>

#include "aten/axes.h"
#include "aten/rules.h"
#include "aten/window.h"

namespace assay::aten {
namespace {

/// What is cut off a transposed convolution, by spatial dimension.
struct Crop {
  Integers64 padding;  // as much from both ends, for the call itself
  Integers64 rest;     // for constant_pad_nd after the call, last dimension first; empty if none
};

/// From the output's size, which follows from pads, auto_pad or output_shape; a size beyond that of
/// the kernel's reach adds to `output_padding`.
/// Source  ONNX operator ConvTranspose, attribute pads.
Result<Crop> ReadCrop(const Lowering& lowering, const model::Node& node, const Window& window,
                      Integers64& output_padding) {
  const std::size_t dimensions = window.kernel.size();
  const Integers64 pads = node.Ints("pads", Integers64(2 * dimensions, 0));
  const bool computed = node.attributes.contains("output_shape") ||
                        node.String("auto_pad", "NOTSET").starts_with("SAME");
  Crop crop;
  bool alike = true;
  for (std::size_t i = 0; i < dimensions; ++i) {
    const std::int64_t whole = window.stride[i] * (lowering.Shape(node.inputs[0])[i + 2] - 1) +
                               output_padding[i] + (window.kernel[i] - 1) * window.dilation[i] + 1;
    std::int64_t total = whole - lowering.Shape(node.outputs[0])[i + 2];
    if (computed && total < 0) {  // further than the kernel reaches
      output_padding[i] -= total;
      total = 0;
    }
    const bool upper = node.String("auto_pad", "NOTSET") == "SAME_UPPER";
    const std::int64_t begin = computed ? (upper ? total / 2 : total - total / 2) : pads[i];
    if (begin < 0 || total < begin ||
        output_padding[i] >= std::max(window.stride[i], window.dilation[i])) {
      return lowering.Unsupported("an output that is larger than what PyTorch pads");
    }
    alike = alike && 2 * begin == total;
    crop.padding.push_back(begin);
    crop.rest.insert(crop.rest.begin(), {-begin, begin - total});
  }
  if (alike) {
    crop.rest.clear();
  } else {
    crop.padding.assign(dimensions, 0);
  }
  return crop;
}

/// The amounts by dimension, last dimension first, begin then end, without zeros at the end.
Result<Integers64> ReadPads(const Lowering& lowering, const model::Node& node) {
  const auto pads = lowering.opset() < 11 ? node.Ints("pads") : lowering.Ints(lowering.Operand(1));
  const std::int64_t rank = lowering.Rank(node.inputs[0]);
  const model::ValueId operand = lowering.Operand(3);
  const auto axes = operand == model::kNone ? AxesFrom(0, rank) : lowering.Ints(operand);
  if (!pads || !axes || pads->size() != 2 * axes->size()) {
    return lowering.Unsupported("only constant amounts and axes");
  }
  Integers64 amounts(static_cast<std::size_t>(2 * rank), 0);
  for (std::size_t i = 0; i < axes->size(); ++i) {
    const std::int64_t axis = FromFront((*axes)[i], rank);
    if (axis < 0 || axis >= rank) {
      return lowering.Unsupported("an axis that the input lacks");
    }
    const auto from_end = static_cast<std::size_t>(rank - 1 - axis);
    amounts[2 * from_end] = (*pads)[i];
    amounts[2 * from_end + 1] = (*pads)[i + axes->size()];
  }
  while (amounts.size() > 2 && amounts.back() == 0 && amounts[amounts.size() - 2] == 0) {
    amounts.resize(amounts.size() - 2);
  }
  return amounts;
}

/// The window of a convolution's weight, which is out x in x kernel or in x out x kernel.
Result<Window> KernelWindow(Lowering& lowering, const model::Node& node) {
  const std::int64_t rank = lowering.Rank(node.inputs[0]);
  if (rank < 3 || rank > 5) {
    return lowering.Unsupported("inputs of 1 to 3 spatial dimensions only");
  }
  const tensor::Shape& weight = lowering.Shape(node.inputs[1]);
  if (weight.size() != lowering.Shape(node.inputs[0]).size()) {
    return lowering.Unsupported("a kernel of other dimensions than its input's");
  }
  return ReadWindow(lowering, node, {weight.begin() + 2, weight.end()});
}

}  // namespace

Status LowerConv(Lowering& lowering, const model::Node& node) {
  ASSAY_ASSIGN(const Window window, KernelWindow(lowering, node));
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

Status LowerConvTranspose(Lowering& lowering, const model::Node& node) {
  ASSAY_ASSIGN(const Window window, KernelWindow(lowering, node));
  const std::size_t dimensions = window.kernel.size();
  const Integers64 zeros(dimensions, 0);
  const Integers64 ones(dimensions, 1);
  Integers64 output_padding = node.Ints("output_padding", zeros);
  if (output_padding.size() != dimensions ||
      lowering.Rank(node.outputs[0]) != lowering.Rank(node.inputs[0])) {
    return lowering.Unsupported("an output of other dimensions than its input's");
  }
  ASSAY_ASSIGN(const Crop crop, ReadCrop(lowering, node, window, output_padding));
  Arguments arguments = {lowering.Tensor(node.inputs[0]),
                         lowering.Tensor(node.inputs[1]),
                         lowering.Tensor(lowering.Operand(2)),
                         window.stride,
                         crop.padding,
                         output_padding,
                         node.Int("group", 1),
                         window.dilation};
  const ValueId made = lowering.Emit(
      "aten::conv_transpose" + std::to_string(dimensions) + "d", dimensions == 1 ? "" : "input",
      WithoutDefaults(std::move(arguments),
                      {Default{}, ones, zeros, zeros, std::int64_t{1}, ones}));
  if (crop.rest.empty()) {
    lowering.Bind(node.outputs[0], made);
    return {};
  }
  return lowering.Finish("aten::constant_pad_nd", "", {ValueRef{made}, crop.rest});
}

Status LowerCol2Im(Lowering& lowering, const model::Node& node) {
  const auto image = lowering.Ints(lowering.Operand(1));
  const auto block = lowering.Ints(lowering.Operand(2));
  const Integers64 pads = node.Ints("pads", {0, 0, 0, 0});
  if (!image || !block || image->size() != 2 || block->size() != 2 || pads.size() != 4 ||
      pads[0] != pads[2] || pads[1] != pads[3]) {
    return lowering.Unsupported("only constant planes, padded alike at both ends");
  }
  return lowering.Finish(
      "aten::col2im", "",
      {lowering.Tensor(node.inputs[0]), *image, *block, node.Ints("dilations", {1, 1}),
       Integers64{pads[0], pads[1]}, node.Ints("strides", {1, 1})});
}

Status LowerPad(Lowering& lowering, const model::Node& node) {
  ASSAY_ASSIGN(const Integers64 amounts, ReadPads(lowering, node));
  const Argument input = lowering.Tensor(node.inputs[0]);
  const std::string mode = node.String("mode", "constant");
  if (mode == "constant") {
    const model::ValueId operand = lowering.Operand(2);
    const auto value = operand == model::kNone ? std::optional(node.Float("value", 0.0))
                                               : lowering.Number(operand);
    if (!value) {
      return lowering.Unsupported("a value that is no constant");
    }
    return lowering.Finish("aten::constant_pad_nd", "",
                           WithoutDefaults({input, amounts, *value}, {0.0}));
  }
  const std::size_t dimensions = amounts.size() / 2;
  if (dimensions > 3 || lowering.Rank(node.inputs[0]) <= static_cast<std::int64_t>(dimensions)) {
    return lowering.Unsupported("other values than a constant pad 1 to 3 last dimensions only");
  }
  return lowering.Finish("aten::pad", "",
                         {input, amounts,
                          mode == "edge"   ? std::string("replicate")
                          : mode == "wrap" ? std::string("circular")
                                           : mode});
}

}  // namespace assay::aten
