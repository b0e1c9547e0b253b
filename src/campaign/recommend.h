// The end of a record: which arm to take and what could not be told from it, and whether the run
// can be trusted at all. Pure.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "campaign/assemble.h"
#include "record/record.h"

namespace assay::campaign {

/// The fastest of the arms whose output passed, and those that cannot be told from it
/// (stats::SlowerThanLeader). Nothing when no output passed.
std::optional<record::Recommendation> Recommend(const Findings& findings, const record::Run& run);

/// Why the run is not to be trusted: the machine, the control arm, the lowering. Empty when it is.
std::vector<std::string> MistrustReasons(const Findings& findings, std::size_t baseline);

}  // namespace assay::campaign
