// What the kernel charges to this process: context switches, page faults, CPU time, and which
// threads used it.
#pragma once

#include <sys/types.h>

#include <map>

#include "engine/protocol.h"

namespace assay::engine {

/// The kernel's counters at one moment.
struct ChargesReading {
  Charges total;                            // since the process began; threads_active not filled
  std::map<pid_t, std::int64_t> thread_ns;  // CPU time of each live thread
};

ChargesReading ReadChargesNow();

/// What was charged between two readings. A thread counts as active when it used at least 1 % of
/// what the busiest one used, so that a runtime's housekeeping is no thread of its pool.
Charges Between(const ChargesReading& before, const ChargesReading& after);

/// Threads alive in this process: what a runtime started shows as a difference.
int CountThreads();

}  // namespace assay::engine
