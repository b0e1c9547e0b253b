// Whole campaigns against a known truth: the real rounds, looks, intervals and recommendation over
// scripted workers whose latencies the machine of noise.h disturbs.
#pragma once

#include <vector>

#include "noise.h"

namespace assay::campaign {

/// Arms as they come up in practice. log_speedups[0] is the baseline's and 0.
struct Field {
  std::vector<double> log_speedups;
  double baseline_ns = 15e6;
};

/// As the arms of ResNet-18 stand: one slower, one hardly so, two equals near the top, one 3 %
/// ahead of them.
inline const Field kSixArms = {.log_speedups = {0, -0.2, -0.01, 0.55, 0.55, 0.58}};
/// What makes false claims likeliest: the fastest are equals.
inline const Field kThreeEquals = {.log_speedups = {0, 0.55, 0.55, 0.55}};

/// Shares over `trials` campaigns, each with all options at their defaults.
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
