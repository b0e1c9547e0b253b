// The whole measurement of a campaign: generations of sessions until the looks say that it is
// enough, the budget ends, or a signal comes.
#pragma once

#include <cstddef>
#include <functional>
#include <vector>

#include "campaign/measurements.h"
#include "campaign/progress.h"
#include "campaign/session.h"
#include "campaign/worker.h"

namespace assay::campaign {

/// Where the measurement stands between two rounds: beside Measurements, all that going on needs.
struct Course {
  std::vector<std::vector<std::size_t>> groups;  // arms alive together; none: not formed yet
  int share = 0;                                 // rounds of a generation; 0: not known yet
  int next_look = 0;                             // in rounds
  int generation = 0;                            // the one under way, from 0,
  std::size_t group = 0;                         // which of its groups,
  int round = 0;                                 // and how many rounds that group has had
};

/// Called whenever something is known that need not be measured again.
using Keep = std::function<void(const Course&)>;

/// Measures plan.arms; those whose entry in `seen.arms` has an end already are left alone. What
/// fails is written into `seen`, never an error here.
///
/// course  where to go on; the default begins
void MeasureInRounds(const RoundsPlan& plan, Workshop& workshop, Progress& progress,
                     Measurements& seen, Course course = {}, const Keep& keep = {});

}  // namespace assay::campaign
