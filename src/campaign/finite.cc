#include "campaign/finite.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>

namespace assay::campaign {
namespace {

/// Whether `holds` for each pair of elements that are at the same place; for none where the outputs
/// differ in names or sizes.
bool AllPairs(const Outputs& a, const Outputs& b,
              const std::function<bool(double, double)>& holds) {
  for (const auto& [name, output] : a) {
    const auto other = b.find(name);
    if (other == b.end() || other->second.sets.size() != output.sets.size()) {
      return false;
    }
    for (std::size_t set = 0; set < output.sets.size(); ++set) {
      const auto &x = output.sets[set], &y = other->second.sets[set];
      if (!std::equal(x.begin(), x.end(), y.begin(), y.end(), holds)) {
        return false;
      }
    }
  }
  return true;
}

}  // namespace

Pair PairOf(double reference, double other) {
  if (std::isfinite(reference) && std::isfinite(other)) {
    return Pair::kNumbers;
  }
  if (std::isnan(reference) || std::isnan(other)) {
    return std::isnan(reference) && std::isnan(other) ? Pair::kAlike : Pair::kApart;
  }
  const bool beyond = std::abs(reference) > std::numeric_limits<float>::max();
  return beyond && std::isinf(other) && std::signbit(reference) == std::signbit(other)
             ? Pair::kAlike
             : Pair::kApart;
}

std::strong_ordering NonFinite::operator<=>(const NonFinite& other) const {
  return nan != other.nan ? nan <=> other.nan : infinite <=> other.infinite;
}

NonFinite CountNonFinite(const Outputs& outputs) {
  NonFinite count;
  for (const auto& [name, output] : outputs) {
    for (const std::vector<double>& set : output.sets) {
      count.elements += set.size();
      for (const double value : set) {
        count.nan += std::isnan(value) ? 1 : 0;
        count.infinite += std::isinf(value) ? 1 : 0;
      }
    }
  }
  return count;
}

bool SharesNonFinite(const Outputs& outputs, const Outputs& other) {
  return AllPairs(outputs, other,
                  [](double x, double y) { return std::isfinite(x) || !std::isfinite(y); });
}

std::string Undefined(const Outputs& reference, const Outputs& outputs, bool drawn) {
  const NonFinite there = CountNonFinite(reference), here = CountNonFinite(outputs);
  if (there.nan == 0) {
    return "";
  }
  if (drawn) {
    return here.nan > 0 ? "with random inputs this model gives NaN in every runtime: give --input"
                        : "with random inputs the reference gives NaN: give --input";
  }
  if (there.nan == there.elements) {
    return "with these inputs the reference is NaN throughout: nothing can be compared";
  }
  const bool alike = AllPairs(reference, outputs,
                              [](double x, double y) { return !std::isnan(x) || std::isnan(y); });
  return alike ? ""
               : "with these inputs the reference is NaN where this is a number: none is right";
}

std::string LeftOut(const Outputs& reference) {
  const NonFinite count = CountNonFinite(reference);
  if (count.nan + count.infinite == 0) {
    return "";
  }
  return fmt::format("{} of {} outputs are {} in the reference and here: the others were compared",
                     count.nan + count.infinite, count.elements,
                     count.infinite == 0 ? "NaN"
                     : count.nan == 0    ? "infinite"
                                         : "NaN or infinite");
}

}  // namespace assay::campaign
