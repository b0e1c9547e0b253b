// The profile of this machine: what the kernel says of it, and what it does not say, measured once.
#pragma once

#include <filesystem>
#include <functional>
#include <string>

#include "hardware/machine.h"
#include "hardware/profile.h"

namespace assay::hardware {

/// Sizes of the data caches of one core, in bytes, nearest first; 0 where the kernel says nothing.
struct Caches {
  double l1 = 0, l2 = 0;  // of a core
  double l3 = 0;          // that the usable cores reach, all of it
};
Caches ReadCaches(const std::filesystem::path& root, int cpu);

/// Measures for about a second on the usable cores, or reads what an earlier call measured of the
/// same processor, cores and instruction sets below `cache`.
///
/// tell  takes the line that it is measuring now
/// Errors  those of Detect; kIo.
Result<Profile> ThisProfile(const std::filesystem::path& cache,
                            const std::function<void(const std::string&)>& tell);

/// The profile as a file of the schema, made of what was measured: rates in operations and bytes a
/// second over all usable cores; 0 for what this machine has not.
struct Measured {
  double fp32 = 0, fp64 = 0, bf16 = 0, int8 = 0;
  double l1 = 0, l2 = 0, l3 = 0, dram = 0;
};
Json ProfileOf(const Machine& machine, const Caches& caches, const Measured& measured);

}  // namespace assay::hardware
