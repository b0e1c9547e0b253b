#include "hardware/environment.h"

#include <algorithm>

namespace assay::hardware {

ThreadEnvironment EnvironmentForThreads(const Machine& machine, int threads) {
  const std::string count = std::to_string(std::max(threads, 1));
  ThreadEnvironment environment;
  for (const char* name : {"OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"}) {
    environment.variables.emplace_back(name, count);
  }
  const auto most = std::min(machine.cpus.size(), static_cast<std::size_t>(std::max(threads, 1)));
  environment.cpus.assign(machine.cpus.begin(),
                          machine.cpus.begin() + static_cast<std::ptrdiff_t>(most));
  std::sort(environment.cpus.begin(), environment.cpus.end());
  return environment;
}

}  // namespace assay::hardware
