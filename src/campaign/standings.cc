#include "campaign/standings.h"

#include <algorithm>
#include <limits>
#include <set>

#include "campaign/pairing.h"
#include "stats/stats.h"

namespace assay::campaign {
namespace {

constexpr double kConfidence = 0.99;  // of an interval at one of several looks

using Entries = std::vector<Entry>;

/// Whether each may be the fastest of its contest.
std::vector<bool> Competitors(const Measurements& seen,
                              const std::function<bool(std::size_t arm)>& may_lead,
                              const Entries& entries) {
  std::vector<bool> timed, fit;
  std::set<int> decided;  // contests that a fit arm competes in
  for (std::size_t arm = 0; arm < seen.arms.size(); ++arm) {
    const ArmLog& log = seen.arms[arm];
    timed.push_back(!log.end && !log.slice_medians_ns.empty() && log.cut.empty());
    fit.push_back(timed[arm] && (!may_lead || may_lead(arm)));
    if (fit[arm]) {
      decided.insert(entries[arm].contest);
    }
  }
  for (std::size_t arm = 0; arm < fit.size(); ++arm) {
    fit[arm] = decided.contains(entries[arm].contest) ? fit[arm] : timed[arm];
  }
  return fit;
}

/// Per input; infinite without a round.
double FastestSlice(const Measurements& seen, std::size_t arm) {
  double fastest = std::numeric_limits<double>::infinity();
  for (const SessionLog& session : seen.sessions) {
    for (const auto& value : RoundsOf(session, arm)) {
      fastest = std::min(fastest, value.value_or(fastest));
    }
  }
  return fastest;
}

}  // namespace

bool GoesOn(const ArmLog& log) { return !log.end && log.stopped.empty(); }

std::vector<Standing> StandingsOf(const Measurements& seen, std::size_t baseline,
                                  const std::function<bool(std::size_t arm)>& may_lead,
                                  const Entries& entries) {
  const std::vector<bool> competes = Competitors(seen, may_lead, entries);
  std::set<int> for_latency;  // contests that have one for latency to lead
  for (std::size_t arm = 0; arm < competes.size(); ++arm) {
    if (competes[arm] && !entries[arm].for_throughput) {
      for_latency.insert(entries[arm].contest);
    }
  }
  std::vector<Standing> standings(seen.arms.size());
  for (std::size_t arm = 0; arm < seen.arms.size(); ++arm) {
    Standing& standing = standings[arm];
    standing.contest = entries[arm].contest;
    standing.live = GoesOn(seen.arms[arm]);
    standing.competes = competes[arm];
    standing.aside = entries[arm].for_throughput && for_latency.contains(standing.contest);
    standing.spare = arm != baseline;
    standing.fastest_ns = FastestSlice(seen, arm);
    const std::vector<double>& medians = seen.arms[arm].slice_medians_ns;
    if (arm != baseline) {
      standing.comparison = stats::Compare(LogRatios(seen, baseline, arm));
    } else if (const auto interval = stats::MedianInterval(medians, kConfidence)) {
      standing.own_half_width = interval->HalfWidth() / stats::Median(medians);
    }
  }
  for (std::size_t arm = 0; arm < standings.size(); ++arm) {
    const std::size_t leader = LeaderOf(standings, standings[arm].contest);
    if (arm != leader && leader < standings.size() && standings[arm].competes) {
      standings[arm].lead = stats::Compare(LogRatios(seen, leader, arm));
    }
  }
  return standings;
}

}  // namespace assay::campaign
