#include "hardware/topology.h"

#include <algorithm>
#include <iterator>
#include <map>

namespace assay::hardware {
namespace {

constexpr double kSlower =
    0.95;  // of the greatest capacity: favoured cores of one kind differ less

std::string CpuFile(int cpu, const std::string& file) {
  return "sys/devices/system/cpu/cpu" + std::to_string(cpu) + "/" + file;
}

std::vector<int> OnlineCpus(const Tree& tree) {
  std::vector<int> cpus = ParseCpuList(tree.Text("sys/devices/system/cpu/online").value_or(""));
  if (cpus.empty()) {
    cpus = ParseCpuList(tree.Field("proc/self/status", "Cpus_allowed_list").value_or("0"));
  }
  return cpus;
}

/// The lowest CPU of the core that `cpu` belongs to; nothing when the kernel does not say.
std::optional<int> CoreOf(const Tree& tree, int cpu) {
  auto siblings = tree.Text(CpuFile(cpu, "topology/core_cpus_list"));
  if (!siblings) {
    siblings = tree.Text(CpuFile(cpu, "topology/thread_siblings_list"));  // before Linux 5.3
  }
  const std::vector<int> cpus = ParseCpuList(siblings.value_or(""));
  return cpus.empty() ? std::nullopt : std::optional(cpus.front());
}

/// Intel's hybrid processors name their efficiency cores; elsewhere (Arm) capacities differ.
std::vector<int> EfficiencyCpus(const Tree& tree, const std::vector<int>& online) {
  std::vector<int> found = ParseCpuList(tree.Text("sys/devices/cpu_atom/cpus").value_or(""));
  if (!found.empty()) {
    return found;
  }
  std::map<int, std::uint64_t> capacities;
  std::uint64_t greatest = 0;
  for (const int cpu : online) {
    if (const auto capacity = tree.Number(CpuFile(cpu, "cpu_capacity"))) {
      capacities[cpu] = *capacity;
      greatest = std::max(greatest, *capacity);
    }
  }
  for (const auto& [cpu, capacity] : capacities) {
    if (static_cast<double>(capacity) < kSlower * static_cast<double>(greatest)) {
      found.push_back(cpu);
    }
  }
  return found;
}

}  // namespace

int Topology::LogicalCpus() const {
  std::size_t count = 0;
  for (const Core& core : cores) {
    count += core.cpus.size();
  }
  return static_cast<int>(count);
}

Topology ReadTopology(const Tree& tree) {
  Topology topology;
  const std::vector<int> online = OnlineCpus(tree);
  std::map<int, Core> cores;  // by lowest CPU
  for (const int cpu : online) {
    const auto core = CoreOf(tree, cpu);
    topology.known = topology.known && core;
    cores[core.value_or(cpu)].cpus.push_back(cpu);
  }
  const std::vector<int> slow = EfficiencyCpus(tree, online);
  for (auto& [lowest, core] : cores) {
    core.efficiency = std::find(slow.begin(), slow.end(), core.cpus.front()) != slow.end();
    topology.cores.push_back(std::move(core));
  }
  std::stable_partition(topology.cores.begin(), topology.cores.end(),
                        [](const Core& core) { return !core.efficiency; });
  return topology;
}

Topology Restrict(const Topology& topology, const std::vector<int>& allowed) {
  Topology result;
  result.known = topology.known;
  for (const Core& core : topology.cores) {
    Core kept{{}, core.efficiency};
    std::copy_if(core.cpus.begin(), core.cpus.end(), std::back_inserter(kept.cpus), [&](int cpu) {
      return std::find(allowed.begin(), allowed.end(), cpu) != allowed.end();
    });
    if (!kept.cpus.empty()) {
      result.cores.push_back(std::move(kept));
    }
  }
  return result;
}

}  // namespace assay::hardware
