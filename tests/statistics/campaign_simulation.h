// Whole campaigns against a known truth: the real rounds, looks, intervals and recommendation over
// scripted workers whose latencies the machine of noise.h disturbs.
#pragma once

#include <vector>

#include "campaign/effort.h"
#include "noise.h"

namespace assay::campaign {

/// Arms as they come up in practice. log_speedups[0] is the baseline's and 0.
struct Field {
  std::vector<double> log_speedups;
  double baseline_ns = 15e6;
  Effort effort = {};
  std::size_t memory = 0;  // arms that memory holds; 0: all
};

/// As the arms of ResNet-18 stand: one slower, one hardly so, two equals near the top, one 3 %
/// ahead of them.
inline const Field kSixArms = {.log_speedups = {0, -0.2, -0.01, 0.55, 0.55, 0.58}};
/// What makes false claims likeliest: the fastest are equals.
inline const Field kThreeEquals = {.log_speedups = {0, 0.55, 0.55, 0.55}};

/// As tier 3 has them, though in smaller heats: some are hopeless.
inline const Field kHeats = {
    .log_speedups = {0, -0.8, -0.01, 0.55, -1.5, 0.55, 0.58},
    .effort = {.samples = 60, .baseline_runs = 60, .most_rounds = 30, .heat = 2, .cut = 3}};
/// As tier 1 has them.
inline const Field kQuickLook = {.log_speedups = {0, 0.2}, .effort = EffortOf(1)};
/// Where memory holds the baseline and two more: equals are in different groups throughout.
inline const Field kGroups = {.log_speedups = {0, 0.55, 0.1, 0.55, 0.55}, .memory = 3};

/// Shares over `trials` campaigns, each with all options as the field's effort has them.
struct CampaignTally {
  double covered = 0;        // of all speedups: the interval holds the truth
  double worst_covered = 1;  // of the speedups of the arm that fares worst
  double false_claims = 0;   // of campaigns: the recommended arm said to beat one that is its equal
  double best_found = 0;     // of campaigns: the fastest is recommended or not separated from it
  double rounds = 0;         // mean, of the arm that was measured longest
};
CampaignTally SimulateCampaigns(const Field& field, const stats::Noise& noise, double process_sd,
                                int trials);

}  // namespace assay::campaign
