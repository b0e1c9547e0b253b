// Outputs that are no finite numbers: how many a run has, where two runs agree about them, and when
// nothing follows from them. Pure.
#pragma once

#include <compare>
#include <cstddef>
#include <string>

#include "campaign/outputs.h"

namespace assay::campaign {

enum class Pair {
  kNumbers,  // both finite: to be compared
  kAlike,    // both NaN; the same infinity; or an infinity where the reference, which is wider, has
             // a number of that sign beyond fp32
  kApart,
};
Pair PairOf(double reference, double other);

struct NonFinite {
  std::size_t nan = 0, infinite = 0, elements = 0;

  /// The fewer NaN, then the fewer infinities, the less.
  std::strong_ordering operator<=>(const NonFinite& other) const;
  bool operator==(const NonFinite& other) const = default;
};
NonFinite CountNonFinite(const Outputs& outputs);

/// Whether `other` has everything that is not finite in `outputs`, too, so that the two have it
/// from the model and its inputs.
bool SharesNonFinite(const Outputs& outputs, const Outputs& other);

/// Why nothing follows from a reference that is NaN; "" when something does.
///
/// drawn  some input is random. Of those that the user chose, what is a number is compared where
///        both runs are NaN at the same places.
std::string Undefined(const Outputs& reference, const Outputs& outputs, bool drawn);

/// What a comparison leaves out, for the reader; "" for nothing.
std::string LeftOut(const Outputs& reference);

}  // namespace assay::campaign
