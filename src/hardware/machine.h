// What this machine is, as far as it matters to a measurement: read from /proc and /sys
// below a root that tests replace by a captured tree.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "base/result.h"
#include "record/record.h"

namespace assay::hardware {

/// One thing that would make numbers untrustworthy here, with what to do about it.
struct Warning {
  std::string id;  // "load", "governor", "quota": heading in docs/troubleshooting.md
  std::string message, remedy;
  bool mistrust = false;  // bad enough that a run is `mistrusted`
};

struct Machine {
  record::Machine facts;
  int usable_cores = 1;   // physical cores within affinity and cgroup quota
  std::vector<int> cpus;  // allowed logical CPUs: one per physical core, then siblings
  std::vector<std::string> devices = {"cpu"};  // "cuda" where NVIDIA's driver is loaded
  std::uint64_t available_bytes = 0;           // memory free now, cgroup limit considered
  std::vector<Warning> warnings;
};

/// Memory free now, in bytes: the kernel's MemAvailable or what the control groups have left,
/// whichever is less. A root as below; 0 when it says nothing.
std::uint64_t AvailableBytes(const std::filesystem::path& root = "/");

/// root  "/" or a captured machine's tree (tests/machines/NAME)
Result<Machine> Detect(const std::filesystem::path& root = "/");

}  // namespace assay::hardware
