#include "aten/axes.h"

#include <algorithm>
#include <numeric>

namespace assay::aten {

std::int64_t FromFront(std::int64_t axis, std::int64_t rank) {
  return axis < 0 ? axis + rank : axis;
}

Integers64 AxesFrom(std::int64_t first, std::int64_t rank) {
  Integers64 axes(static_cast<std::size_t>(std::max<std::int64_t>(rank - first, 0)));
  std::iota(axes.begin(), axes.end(), first);
  return axes;
}

std::optional<Integers64> AxesOf(const Lowering& lowering, const model::Node& node,
                                 std::size_t position, std::int64_t rank) {
  std::optional<Integers64> axes = node.attributes.contains("axes")
                                       ? node.Ints("axes")
                                       : lowering.Ints(lowering.Operand(position));
  if (axes) {
    std::ranges::transform(*axes, axes->begin(),
                           [&](std::int64_t axis) { return FromFront(axis, rank); });
    std::ranges::sort(*axes);
  }
  return axes;
}

std::int64_t SizeAlong(const Lowering& lowering, model::ValueId id, std::int64_t axis) {
  const std::int64_t place = FromFront(axis, lowering.Rank(id));
  return place >= 0 && place < lowering.Rank(id)
             ? lowering.Shape(id)[static_cast<std::size_t>(place)]
             : 0;
}

}  // namespace assay::aten
