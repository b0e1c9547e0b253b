#include "campaign/standings.h"

#include <algorithm>

#include "campaign/pairing.h"
#include "stats/stats.h"

namespace assay::campaign {
namespace {

constexpr double kConfidence = 0.99;  // of an interval at one of several looks

/// Whether each may be the fastest.
std::vector<bool> Competitors(const Measurements& seen,
                              const std::function<bool(std::size_t arm)>& may_lead) {
  std::vector<bool> timed, fit;
  for (std::size_t arm = 0; arm < seen.arms.size(); ++arm) {
    const ArmLog& log = seen.arms[arm];
    timed.push_back(!log.end && !log.slice_medians_ns.empty() && log.cut.empty());
    fit.push_back(timed[arm] && (!may_lead || may_lead(arm)));
  }
  return std::find(fit.begin(), fit.end(), true) != fit.end() ? fit : timed;
}

}  // namespace

bool GoesOn(const ArmLog& log) { return !log.end && log.stopped.empty(); }

std::vector<Standing> StandingsOf(const Measurements& seen, std::size_t baseline,
                                  const std::function<bool(std::size_t arm)>& may_lead,
                                  const std::function<bool(std::size_t arm)>& for_throughput) {
  const std::vector<bool> competes = Competitors(seen, may_lead);
  bool apart = false;  // there is one for latency to lead
  for (std::size_t arm = 0; arm < competes.size(); ++arm) {
    apart |= competes[arm] && !for_throughput(arm);
  }
  std::vector<Standing> standings(seen.arms.size());
  for (std::size_t arm = 0; arm < seen.arms.size(); ++arm) {
    Standing& standing = standings[arm];
    standing.live = GoesOn(seen.arms[arm]);
    standing.competes = competes[arm];
    standing.aside = apart && for_throughput(arm);
    standing.spare = arm != baseline;
    const std::vector<double>& medians = seen.arms[arm].slice_medians_ns;
    if (!medians.empty()) {
      standing.fastest_ns = *std::min_element(medians.begin(), medians.end());
    }
    if (arm != baseline) {
      standing.comparison = stats::Compare(LogRatios(seen, baseline, arm));
    } else if (const auto interval = stats::MedianInterval(medians, kConfidence)) {
      standing.own_half_width = interval->HalfWidth() / stats::Median(medians);
    }
  }
  const std::size_t leader = LeaderOf(standings);
  for (std::size_t arm = 0; arm < standings.size(); ++arm) {
    if (arm != leader && leader < standings.size() && standings[arm].competes) {
      standings[arm].lead = stats::Compare(LogRatios(seen, leader, arm));
    }
  }
  return standings;
}

}  // namespace assay::campaign
