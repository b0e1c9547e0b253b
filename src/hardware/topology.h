// Which logical CPUs share a physical core, and which cores are the slower kind.
#pragma once

#include <string>
#include <vector>

#include "hardware/tree.h"

namespace assay::hardware {

struct Core {
  std::vector<int> cpus;    // its logical CPUs, ascending; more than one: hyperthreads
  bool efficiency = false;  // the slower kind of a hybrid processor
};

struct Topology {
  std::vector<Core> cores;  // online; performance cores first, then by lowest CPU
  bool known = true;        // false: the kernel does not say, each CPU stands for a core
  int LogicalCpus() const;
};

/// Reads sys/devices/system/cpu. One code path for this machine and for captured ones, which is why
/// it does not ask hwloc: that reads the same files, but another root only by its environment.
Topology ReadTopology(const Tree& tree);

/// The same with only those logical CPUs that are in `allowed`; cores without any vanish.
Topology Restrict(const Topology& topology, const std::vector<int>& allowed);

}  // namespace assay::hardware
