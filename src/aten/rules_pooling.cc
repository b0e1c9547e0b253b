// Pooling over windows and over whole planes.
#include <algorithm>
#include <limits>
#include <string>

#include "aten/rules.h"
#include "aten/window.h"

namespace assay::aten {
namespace {

std::string Name(std::string_view kind, std::size_t dimensions) {
  return "aten::" + std::string(kind) + std::to_string(dimensions) + "d";
}

/// PyTorch pads pools by half the kernel at most.
Integers64 Halves(Integers64 kernel) {
  for (std::int64_t& size : kernel) {
    size /= 2;
  }
  return kernel;
}

bool AreAll(const Integers64& numbers, std::int64_t number) {
  return std::ranges::all_of(numbers, [&](std::int64_t each) { return each == number; });
}

Result<Window> PoolWindow(const Lowering& lowering, const model::Node& node) {
  const Integers64 kernel = node.Ints("kernel_shape");
  if (kernel.empty() || kernel.size() > 3) {
    return lowering.Unsupported("kernels of 1 to 3 dimensions only");
  }
  return ReadWindow(lowering, node, kernel, Halves(kernel));
}

}  // namespace

Status LowerMaxPool(Lowering& lowering, const model::Node& node) {
  if (node.outputs.size() > 1 && node.outputs[1] != model::kNone) {
    return lowering.Unsupported("its second output, the indices, counts otherwise in PyTorch");
  }
  ASSAY_ASSIGN(const Window window, PoolWindow(lowering, node));
  const std::size_t dimensions = window.kernel.size();
  const Integers64 zeros(dimensions, 0);
  const Integers64 ones(dimensions, 1);
  Arguments arguments = {PaddedInput(lowering, window, -std::numeric_limits<double>::infinity()),
                         window.kernel,
                         window.stride,
                         window.padding,
                         window.dilation,
                         node.Int("ceil_mode", 0) != 0};
  return lowering.Finish(Name("max_pool", dimensions), "",
                         WithoutDefaults(std::move(arguments), {zeros, ones, false}));
}

Status LowerAveragePool(Lowering& lowering, const model::Node& node) {
  ASSAY_ASSIGN(const Window window, PoolWindow(lowering, node));
  const std::size_t dimensions = window.kernel.size();
  const bool counts_padding = node.Int("count_include_pad", 0) != 0;
  if (!AreAll(window.dilation, 1)) {
    return lowering.Unsupported("PyTorch has no dilated average pooling");
  }
  if (!window.extra.empty() && !counts_padding) {
    return lowering.Unsupported("padding that differs at the two ends and is not counted");
  }
  const bool padded = !AreAll(window.padding, 0);
  Arguments arguments = {PaddedInput(lowering, window, 0.0),
                         window.kernel,
                         window.stride,
                         window.padding,
                         node.Int("ceil_mode", 0) != 0,
                         counts_padding || !padded};
  return lowering.Finish(
      Name("avg_pool", dimensions), "",
      WithoutDefaults(std::move(arguments), {Integers64(dimensions, 0), false, true}));
}

/// The p-th root of the sum of the p-th powers, from their average as F.lp_pool2d has it.
Status LowerLpPool(Lowering& lowering, const model::Node& node) {
  ASSAY_ASSIGN(const Window window, PoolWindow(lowering, node));
  if (!AreAll(window.dilation, 1) || node.Int("ceil_mode", 0) != 0) {
    return lowering.Unsupported("PyTorch pools powers without dilation and within the input");
  }
  const auto power = static_cast<double>(node.Int("p", 2));
  double count = 1;
  for (const std::int64_t size : window.kernel) {
    count *= static_cast<double>(size);
  }
  const auto scalar = [&](std::string op, std::string overload, ValueId value, double number) {
    return lowering.Emit(std::move(op), std::move(overload), {ValueRef{value}, number});
  };
  ValueId made = lowering.Emit("aten::abs", "", {PaddedInput(lowering, window, 0.0)});
  made = scalar("aten::pow", "Tensor_Scalar", made, power);
  made = lowering.Emit(Name("avg_pool", window.kernel.size()), "",
                       {ValueRef{made}, window.kernel, window.stride, window.padding});
  made = scalar("aten::mul", "Scalar", made, count);
  lowering.Bind(node.outputs[0], scalar("aten::pow", "Tensor_Scalar", made, 1.0 / power));
  return {};
}

/// The average or the greatest of each plane.
Status LowerGlobalPool(Lowering& lowering, const model::Node& node) {
  const std::int64_t dimensions = lowering.Rank(node.inputs[0]) - 2;
  if (dimensions < 1 || dimensions > 3) {
    return lowering.Unsupported("inputs of 1 to 3 spatial dimensions only");
  }
  const auto count = static_cast<std::size_t>(dimensions);
  const bool averages = node.op == "GlobalAveragePool";
  return lowering.Finish(Name(averages ? "adaptive_avg_pool" : "adaptive_max_pool", count), "",
                         {lowering.Tensor(node.inputs[0]), Integers64(count, 1)});
}

}  // namespace assay::aten
