// What a reader of an arm's numbers wants to be told besides them: in words, from the counts. Pure.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "campaign/assemble.h"

namespace assay::campaign {

/// Standard deviation of ln(median) between the processes of an arm, that is, relative; nothing
/// with fewer than two processes.
std::optional<double> ProcessSpread(const Measurements& seen, std::size_t arm);

std::vector<std::string> NotesOn(const Findings& findings, std::size_t baseline, std::size_t arm);

}  // namespace assay::campaign
