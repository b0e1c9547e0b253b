// How the arms stand at a look, from what was measured so far. Pure.
#pragma once

#include <cstddef>
#include <functional>
#include <vector>

#include "campaign/measurements.h"
#include "campaign/schedule.h"

namespace assay::campaign {

/// Whether it is measured further.
bool GoesOn(const ArmLog& log);

/// In what an arm is to be the fastest.
struct Entry {
  int contest = 0;              // those of one contest are told apart
  bool for_throughput = false;  // stands aside while another one of the contest competes
};

/// All arms' standings, compared with the arm `baseline` and with their leader. Cut arms do not
/// compete, nor those that `may_lead` says no of (their outputs are wrong, say), unless it says so
/// of all of the contest.
///
/// may_lead  empty: all may
/// entries   as many as arms
std::vector<Standing> StandingsOf(const Measurements& seen, std::size_t baseline,
                                  const std::function<bool(std::size_t arm)>& may_lead,
                                  const std::vector<Entry>& entries);

}  // namespace assay::campaign
