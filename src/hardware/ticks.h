// CPU time since boot as the kernel counts it, in ticks of 1/100 s, over all CPUs.
#pragma once

#include <cstdint>
#include <filesystem>

#include "hardware/tree.h"

namespace assay::hardware {

struct Ticks {
  std::int64_t total = 0;  // user, nice, system, idle, iowait, irq, softirq and steal
  std::int64_t steal = 0;  // that a hypervisor gave to others
};

/// All 0 when the kernel says nothing.
/// Source  proc_stat(5), the first line of /proc/stat.
Ticks ReadTicks(const Tree& tree);

}  // namespace assay::hardware
