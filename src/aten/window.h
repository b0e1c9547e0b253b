// The window of a convolution or pooling: strides, dilations and padding as PyTorch takes them.
#pragma once

#include "aten/lowering.h"

namespace assay::aten {

struct Window {
  Integers64 kernel;
  Integers64 stride;
  Integers64 dilation;
  Integers64 padding;  // at both ends of each spatial dimension
  Integers64 extra;    // for constant_pad_nd before the call, last dimension first; empty if none
};

/// Reads strides, dilations, pads and auto_pad of `node`, whose first operand is
/// [batch, channels, spatial...]. PyTorch pads both ends alike and pools pad half a kernel at most
/// (`most_padding`, by dimension; empty for no bound): padding beyond that goes to `extra`.
/// Errors  kUnsupported when they are not of the input's spatial dimensions.
Result<Window> ReadWindow(const Lowering& lowering, const model::Node& node, Integers64 kernel,
                          const Integers64& most_padding = {});

/// The node's first operand, after constant_pad_nd with `value` when the window asks for it.
Argument PaddedInput(Lowering& lowering, const Window& window, double value);

}  // namespace assay::aten
