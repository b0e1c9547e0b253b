// The whole measurement of a campaign: generations of sessions until the looks say that it is
// enough, the budget ends, or a signal comes.
#pragma once

#include "campaign/measurements.h"
#include "campaign/progress.h"
#include "campaign/session.h"
#include "campaign/worker.h"

namespace assay::campaign {

/// Measures plan.arms; those whose entry in `seen.arms` has an end already are left alone. What
/// fails is written into `seen`, never an error here.
void MeasureInRounds(const RoundsPlan& plan, Workshop& workshop, Progress& progress,
                     Measurements& seen);

/// The arm to compare with: plan.baseline while it has rounds, else the first that has.
std::size_t BaselineOf(const Measurements& seen, std::size_t preferred);

}  // namespace assay::campaign
