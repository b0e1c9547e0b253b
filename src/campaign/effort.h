// What the tiers spend: how many processes and rounds, whether hopeless arms are cut, what is done
// at a time. One table. Pure.
#pragma once

#include <cstddef>

namespace assay::campaign {

/// The defaults are those of a run without a tier.
struct Effort {
  int samples = 128;
  int baseline_runs = 100;
  int processes = 3;            // generations
  int most_rounds = 80;         // no look beyond
  double seconds_per_arm = 60;  // timing budget, times the arms that may run
  bool ahead = false;           // RoundsPlan::ahead
  std::size_t heat = 0;      // arms beside the baseline in a group of the first generation; 0: all
  double cut = 0;            // times slower than the leader, from which an arm is cut; 0: never
  int prepared_at_once = 1;  // preparations, where cores and memory allow
  bool tells_plan = false;   // what is to be done, and how long it may take, before it is; then the
                             // budget is twice that, if that is more
};

/// tier  1, 2 or 3
Effort EffortOf(int tier);

}  // namespace assay::campaign
