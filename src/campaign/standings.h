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

/// All arms' standings, compared with the arm `baseline` and with the leader. Cut arms do not
/// compete, nor those that `may_lead` says no of (their outputs are wrong, say), unless it says so
/// of all.
///
/// may_lead        empty: all may
/// for_throughput  which arms stand aside while another one competes
std::vector<Standing> StandingsOf(const Measurements& seen, std::size_t baseline,
                                  const std::function<bool(std::size_t arm)>& may_lead,
                                  const std::function<bool(std::size_t arm)>& for_throughput);

}  // namespace assay::campaign
