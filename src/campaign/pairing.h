// How the times of two arms are set against each other: round by round where they were alive
// together, through an arm that both groups shared where they were not. Pure.
#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "campaign/measurements.h"

namespace assay::campaign {

/// What an arm took in each round of a session; empty when it was not in it.
std::vector<std::optional<double>> RoundsOf(const SessionLog& session, std::size_t arm);

/// ln(numerator / denominator), one value for each round in which both have one, one vector for
/// each session that had both. For a generation in which they were in different groups: the
/// difference of their ratios to an arm that both groups had, the k-th round of the one group with
/// the k-th of the other (any pairing would do: they share no noise).
std::vector<std::vector<double>> LogRatios(const Measurements& seen, std::size_t numerator,
                                           std::size_t denominator);

/// The arm to compare with: `preferred` while it has rounds, else the first that has.
std::size_t BaselineOf(const Measurements& seen, std::size_t preferred);

}  // namespace assay::campaign
