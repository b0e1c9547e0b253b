// What the control groups of this process allow it, in version 1, version 2 and both at once.
#pragma once

#include <cstdint>
#include <optional>

#include "hardware/tree.h"

namespace assay::hardware {

struct Limits {
  std::optional<double> cpus;                 // CPU time per time: 1.5; nothing: no quota
  std::uint64_t throttled = 0;                // periods in which the quota ran out, so far
  std::optional<std::uint64_t> memory_bytes;  // the least limit of any group above
  std::optional<std::uint64_t> memory_free;   // the least that any of them has left, cache counted
};

/// Reads the group of the process and those above it, up to what is mounted at sys/fs/cgroup: every
/// one of them binds. Source  Linux, Documentation/admin-guide/cgroup-v1 and cgroup-v2.rst.
Limits ReadLimits(const Tree& tree);

}  // namespace assay::hardware
