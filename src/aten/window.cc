#include "aten/window.h"

#include <algorithm>
#include <limits>

namespace assay::aten {
namespace {

struct Ends {
  std::int64_t begin = 0;
  std::int64_t end = 0;
};

/// Padding that makes the output ceil(size / stride) long.
/// Source  ONNX operator Conv, attribute auto_pad.
Ends SamePadding(std::int64_t size, std::int64_t kernel, std::int64_t stride, std::int64_t dilation,
                 bool upper) {
  const std::int64_t steps = (size + stride - 1) / stride - 1;
  const std::int64_t total =
      std::max<std::int64_t>(0, steps * stride + (kernel - 1) * dilation + 1 - size);
  const std::int64_t smaller = total / 2;
  return upper ? Ends{smaller, total - smaller} : Ends{total - smaller, smaller};
}

}  // namespace

Result<Window> ReadWindow(const Lowering& lowering, const model::Node& node, Integers64 kernel,
                          const Integers64& most_padding) {
  const std::size_t dimensions = kernel.size();
  Window window{std::move(kernel),
                node.Ints("strides", Integers64(dimensions, 1)),
                node.Ints("dilations", Integers64(dimensions, 1)),
                {},
                {}};
  const Integers64 pads = node.Ints("pads", Integers64(2 * dimensions, 0));
  const auto is_size = [](std::int64_t number) {
    return number > 0 && number <= std::numeric_limits<std::int32_t>::max();
  };
  const auto each_positive = [&](const Integers64& numbers) {
    return numbers.size() == dimensions && std::ranges::all_of(numbers, is_size);
  };
  if (!each_positive(window.kernel) || !each_positive(window.stride) ||
      !each_positive(window.dilation) || pads.size() != 2 * dimensions ||
      lowering.Shape(node.inputs[0]).size() != dimensions + 2 ||
      std::ranges::any_of(lowering.Shape(node.inputs[0]), [](std::int64_t size) {
        return size > std::numeric_limits<std::int32_t>::max();
      })) {
    return lowering.Unsupported("a window of other dimensions than its input's");
  }
  const std::string automatic = node.String("auto_pad", "NOTSET");
  Integers64 extra;
  for (std::size_t i = 0; i < dimensions; ++i) {
    Ends ends;
    if (automatic == "NOTSET") {
      ends = {pads[i], pads[i + dimensions]};
    } else if (automatic != "VALID") {
      ends = SamePadding(lowering.Shape(node.inputs[0])[i + 2], window.kernel[i], window.stride[i],
                         window.dilation[i], automatic == "SAME_UPPER");
    }
    const bool fits = most_padding.empty() || ends.begin <= most_padding[i];
    const bool alike = ends.begin == ends.end && fits;
    window.padding.push_back(alike ? ends.begin : 0);
    extra.insert(extra.begin(), {alike ? 0 : ends.begin, alike ? 0 : ends.end});
  }
  if (std::ranges::any_of(extra, [](std::int64_t amount) { return amount != 0; })) {
    window.extra = std::move(extra);
  }
  return window;
}

Argument PaddedInput(Lowering& lowering, const Window& window, double value) {
  const Argument input = lowering.Tensor(lowering.Operand(0));
  if (window.extra.empty()) {
    return input;
  }
  return ValueRef{lowering.Emit("aten::constant_pad_nd", "", {input, window.extra, value})};
}

}  // namespace assay::aten
