// Operands that decide shapes: each has one value, so that every inference has the same shapes.
#include <algorithm>

#include "model/uses.h"

namespace assay::model {
namespace {

constexpr std::int64_t kFew = 4;

Demands Just(std::int64_t value, std::string reason) { return Exactly({value}, std::move(reason)); }

Demands Zero(const Use&) { return Just(0, "where it begins"); }
Demands UnitStep(const Use&) { return Just(1, "a step"); }
Demands Count(const Use&) { return Just(kFew, "a size"); }
Demands Trips(const Use&) { return Just(kFew, "trips of a loop"); }
Demands GoesOn(const Use&) { return Just(1, "whether a loop begins"); }
Demands Twice(const Use& use) {
  return Exactly(std::vector<std::int64_t>(static_cast<std::size_t>(use.Size(1, 0)), 2),
                 "repetitions");
}

/// As many as asked for, of those that there are.
Demands Largest(const Use& use) {
  const std::int64_t most = use.Size(0, use.node.Int("axis", -1));
  return Just(most > 0 ? std::min(most, kFew) : 1, "how many of them");
}

/// The shape of the data, in as many axes as there are sizes: no other is known to fit.
Demands SameShape(const Use& use) {
  const std::optional<tensor::Shape> data = use.Shape(0);
  const auto sizes = static_cast<std::size_t>(use.Size(use.operand, 0));
  if (data && sizes == data->size()) {
    return Exactly(*data, "the shape of " + use.Quoted(0));
  }
  std::vector<std::int64_t> flat(sizes, 1);
  if (!flat.empty() && use.node.op == "Reshape") {
    flat.back() = -1;
  } else if (data && sizes > data->size()) {  // Expand: axes before the data's
    std::copy_backward(data->begin(), data->end(), flat.end());
  }
  return Exactly(flat, "a shape that fits " + use.Quoted(0));
}

Demands TwiceAsLarge(const Use& use) {
  std::vector<std::int64_t> sizes = use.Shape(0).value_or(tensor::Shape{});
  for (std::size_t axis = 2; axis < sizes.size(); ++axis) {
    sizes[axis] *= 2;
  }
  return static_cast<std::int64_t>(sizes.size()) == use.Size(use.operand, 0)
             ? Exactly(sizes, "sizes, twice those of " + use.Quoted(0))
             : Demands{};
}

Demands Doubling(const Use& use) {
  std::vector<std::int64_t> scales(static_cast<std::size_t>(use.Size(use.operand, 0)), 2);
  std::fill_n(scales.begin(), std::min<std::size_t>(2, scales.size()), 1);
  return Exactly(scales, "scales");
}

/// The end of each axis that is sliced.
Demands Ends(const Use& use) {
  const auto count = static_cast<std::size_t>(use.Size(2, 0));
  const std::optional<std::vector<double>> axes = use.Known(3);
  std::vector<std::int64_t> ends;
  for (std::size_t i = 0; i < count; ++i) {
    const std::int64_t axis = axes && i < axes->size() ? static_cast<std::int64_t>((*axes)[i])
                                                       : static_cast<std::int64_t>(i);
    ends.push_back(std::max<std::int64_t>(1, use.Size(0, axis)));
  }
  return Exactly(ends, "where it ends");
}

/// Equal parts, the last with the rest.
Demands Parts(const Use& use) {
  const std::int64_t parts = use.Size(1, 0), whole = use.Size(0, use.node.Int("axis", 0));
  if (parts <= 0 || whole < parts) {
    return {};
  }
  std::vector<std::int64_t> sizes(static_cast<std::size_t>(parts), whole / parts);
  sizes.back() += whole % parts;
  return Exactly(sizes, "sizes of parts");
}

Demands Padding(const Use& use) {
  return Exactly(std::vector<std::int64_t>(static_cast<std::size_t>(use.Size(1, 0)), 1),
                 "a border");
}

}  // namespace

const Rules& SizeRules() {
  static const Rules kRules = {
      {"", "Range", 0, Zero},
      {"", "Range", 1, Count},
      {"", "Range", 2, UnitStep},
      {"", "Loop", 0, Trips},
      {"", "Loop", 1, GoesOn},
      {"", "TopK", 1, Largest},
      {"", "OneHot", 1, Count},
      {"", "ConstantOfShape", 0, Count},
      {"", "HannWindow", 0, Count},
      {"", "HammingWindow", 0, Count},
      {"", "BlackmanWindow", 0, Count},
      {"", "Tile", 1, Twice},
      {"", "Reshape", 1, SameShape},
      {"", "Expand", 1, SameShape},
      {"", "CenterCropPad", 1, SameShape},
      {"", "Resize", 2, Doubling},
      {"", "Resize", 3, TwiceAsLarge},
      {"", "Upsample", 1, Doubling},
      {"", "Slice", 1, Zero},
      {"", "Slice", 2, Ends},
      {"", "Slice", 4, UnitStep},
      {"", "Split", 1, Parts},
      {"", "SplitToSequence", 1, Parts},
      {"", "Pad", 1, Padding},
      {"", "CumSum", 1, Zero},
      {"", "Trilu", 1, Zero},
      {"", "NonMaxSuppression", 2, Count},
  };
  return kRules;
}

}  // namespace assay::model
