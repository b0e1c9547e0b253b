// What the graph alone says that an arm takes on this machine, beside what it took.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "conversion/recipe.h"
#include "hardware/profile.h"
#include "model/graph.h"
#include "record/record.h"

namespace assay::campaign {

/// machine  its profile, with all of its usable cores
/// threads  that the arm ran with: so many of the cores are counted
/// median_ms  of one inference of the graph
/// Returns nothing when the profile has no rate for the arm's numbers, or not enough memory.
std::optional<record::Predicted> PredictedOf(const model::Graph& graph,
                                             const conversion::Recipe& recipe,
                                             const hardware::Profile& machine, int threads,
                                             double median_ms);

}  // namespace assay::campaign
