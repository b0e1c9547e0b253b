// The end of a record: which arm to take and what could not be told from it, and whether the run
// can be trusted at all. Pure.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "campaign/assemble.h"
#include "record/record.h"
#include "stats/stats.h"

namespace assay::campaign {

/// A difference of speed below this is none, whatever the statistics say (docs/measuring.md).
inline constexpr double kLeastDifference = 0.01;

/// Whether the interval excludes 1 and the ratio is beyond 1 +- 1 %.
bool Separated(const stats::Comparison& comparison);

/// The fastest of the arms whose output passed, and those that cannot be told from it: by sign
/// tests over rounds with Holm's correction at 5 %, a difference beyond 1 %, and, where processes
/// differ among themselves, the interval over processes. Nothing when no output passed.
std::optional<record::Recommendation> Recommend(const Findings& findings, const record::Run& run);

/// Why the run is not to be trusted: the machine, the control arm, the lowering. Empty when it is.
std::vector<std::string> MistrustReasons(const Findings& findings, std::size_t baseline);

}  // namespace assay::campaign
