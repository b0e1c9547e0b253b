#include "campaign/effort.h"

namespace assay::campaign {

// Tier 1 has to answer in about ten seconds, of which loading COMPILE_INDUCTOR_DEFAULT takes a
// third: two processes that load side by side, twelve rounds, no more. Tier 3 has sixty arms: a
// session of a few of them at a time, so that what is hopeless costs four rounds, and 60 samples,
// so that the slowest arm (5 in a slice) does not make everyone take more than 12 rounds.
Effort EffortOf(int tier) {
  switch (tier) {
    case 1:
      return {.samples = 60,
              .baseline_runs = 60,
              .processes = 2,
              .most_rounds = 12,
              .seconds_per_arm = 8,
              .ahead = true};
    case 2:
      return {.tells_plan = true};
    case 3:
      return {.samples = 60,
              .baseline_runs = 60,
              .most_rounds = 30,
              .seconds_per_arm = 15,
              .heat = 10,
              .cut = 3,
              .prepared_at_once = 4,
              .tells_plan = true};
    default:
      return {};
  }
}

}  // namespace assay::campaign
