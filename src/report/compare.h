// Two records side by side: what got faster, slower, appeared, vanished or ended otherwise.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "record/record.h"
#include "report/report.h"

namespace assay::report {

enum class Change { kFaster, kSlower, kSame, kOutcome, kAppeared, kVanished, kUnknown };
std::string_view Name(Change change);  // "faster", ...

/// One conversion in record A and in record B; null where it is in one only.
struct Difference {
  std::string conversion;
  Change change = Change::kUnknown;
  const record::Arm* a = nullptr;
  const record::Arm* b = nullptr;
  std::optional<double> ratio;  // time in A / time in B: above 1, B is faster
};

struct Comparison {
  std::vector<Difference> differences;  // A's order, then what only B has
  std::vector<std::string> warnings;    // why the two may not be comparable
};

/// A difference of medians counts when the two 95 % intervals are disjoint and the ratio lies
/// beyond 1 +- 1 %. The result points into `a` and `b`.
Comparison Compare(const record::Run& a, const record::Run& b);

std::string RenderComparison(const Comparison& comparison, Format format, const Style& style);

}  // namespace assay::report
