// What would make numbers untrustworthy on a machine, each with its remedy. The thresholds are
// judgements: they tell a machine at rest from one at work, not good from bad numbers.
#pragma once

#include <vector>

#include "hardware/cgroup.h"
#include "hardware/machine.h"
#include "hardware/topology.h"
#include "hardware/tree.h"

namespace assay::hardware {

/// How this program was compiled.
struct Build {
  bool optimised = true;
  bool sanitised = false;
};
Build ThisBuild();

/// What Detect found out before it warns.
struct Findings {
  const Tree& tree;
  const Topology& machine;  // all online cores
  const Topology& usable;   // those within the affinity mask
  const Limits& limits;
  Build build;
};

/// available_bytes  memory free now
std::vector<Warning> FindWarnings(const Findings& findings, std::uint64_t available_bytes);

}  // namespace assay::hardware
