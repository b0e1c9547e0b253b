// What a worker process gets before exec so that its runtime uses N threads: environment variables
// and the CPUs to pin it to, as values. Setting them is the campaign's business; afterwards, in a
// process that has loaded its runtime, the variables would have no effect.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "hardware/machine.h"

namespace assay::hardware {

struct ThreadEnvironment {
  std::vector<std::pair<std::string, std::string>> variables;  // NAME, value
  std::vector<int> cpus;  // logical CPUs, ascending; for sched_setaffinity
};

/// One CPU for each of `threads` threads: physical cores first (performance cores before
/// efficiency cores), hyperthreads only when there are more threads than cores. More threads than
/// CPUs share all of them. `threads` below 1 counts as 1; no CPUs when the machine names none.
ThreadEnvironment EnvironmentForThreads(const Machine& machine, int threads);

}  // namespace assay::hardware
