// Axes as PyTorch takes them. ONNX moved them from attributes to operands, one operator after the
// other.
#pragma once

#include "aten/lowering.h"

namespace assay::aten {

/// `axis`, counted from the front.
std::int64_t FromFront(std::int64_t axis, std::int64_t rank);

/// The axes from `first` to the last.
Integers64 AxesFrom(std::int64_t first, std::int64_t rank);

/// The node's axes, from its attribute or its operand at `position`; counted from the front,
/// sorted. Nothing when it has none, or an operand that is no constant.
std::optional<Integers64> AxesOf(const Lowering& lowering, const model::Node& node,
                                 std::size_t position, std::int64_t rank);

/// The size of the operand's dimension `axis`.
std::int64_t SizeAlong(const Lowering& lowering, model::ValueId id, std::int64_t axis);

}  // namespace assay::aten
