#include "hardware/cgroup.h"

#include <algorithm>
#include <sstream>
#include <string>
#include <vector>

#include "base/text.h"

namespace assay::hardware {
namespace {

constexpr std::uint64_t kUnlimited = std::uint64_t{1}
                                     << 60;  // version 1 says "no limit" by a huge one

/// The folders of the process's group and of those above it, outermost first.
///
/// mount  where the hierarchy is mounted: "sys/fs/cgroup/cpu"
/// path   the process's group in it: "/a/b"
/// In a container without a namespace of its own `path` is the host's; its folders are not there
/// and read as nothing, while the mount itself is the container's group.
std::vector<std::string> Chain(const std::string& mount, const std::string& path) {
  std::vector<std::string> folders{mount + "/"};
  for (const std::string& part : Split(path, '/')) {
    if (!part.empty()) {
      folders.push_back(folders.back() + part + "/");
    }
  }
  return folders;
}

template <typename T>
void Lower(std::optional<T>& least, T value) {
  least = std::min(least.value_or(value), value);
}

void AddCpu(const Tree& tree, const std::string& folder, Limits& limits) {
  std::optional<std::uint64_t> quota = tree.Number(folder + "cpu.cfs_quota_us");  // version 1; -1
  std::optional<std::uint64_t> period = tree.Number(folder + "cpu.cfs_period_us");
  if (const auto max = tree.Text(folder + "cpu.max")) {  // version 2: "150000 100000", "max 100000"
    quota = ParseNumber(*max);
    period = ParseNumber(std::string_view(*max).substr(std::min(max->size(), max->find(' ') + 1)));
  }
  if (quota && period && *period > 0) {
    Lower(limits.cpus, static_cast<double>(*quota) / static_cast<double>(*period));
    limits.throttled += tree.NumberField(folder + "cpu.stat", "nr_throttled").value_or(0);
  }
}

void AddMemory(const Tree& tree, const std::string& folder, Limits& limits) {
  auto limit = tree.Number(folder + "memory.limit_in_bytes");
  auto used = tree.Number(folder + "memory.usage_in_bytes");
  auto cache = tree.NumberField(folder + "memory.stat", "total_inactive_file");
  if (tree.Text(folder + "memory.max")) {
    limit = tree.Number(folder + "memory.max");
    used = tree.Number(folder + "memory.current");
    cache = tree.NumberField(folder + "memory.stat", "inactive_file");
  }
  if (!limit || *limit >= kUnlimited) {
    return;
  }
  Lower(limits.memory_bytes, *limit);
  if (used) {
    const std::uint64_t held = *used - std::min(*used, cache.value_or(0));
    Lower(limits.memory_free, *limit - std::min(*limit, held));
  }
}

/// One line of /proc/self/cgroup: "4:cpu,cpuacct:/a/b"; version 2 is "0::/a/b".
void AddHierarchy(const Tree& tree, const std::string& line, Limits& limits) {
  const std::vector<std::string> parts = Split(line, ':');
  if (parts.size() < 3) {
    return;
  }
  if (parts[1].empty()) {
    for (const std::string mount : {"sys/fs/cgroup", "sys/fs/cgroup/unified"}) {
      for (const std::string& folder : Chain(mount, parts[2])) {
        AddCpu(tree, folder, limits);
        AddMemory(tree, folder, limits);
      }
    }
  }
  for (const std::string& controller : Split(parts[1], ',')) {
    for (const std::string& folder : Chain("sys/fs/cgroup/" + controller, parts[2])) {
      if (controller == "cpu") {
        AddCpu(tree, folder, limits);
      } else if (controller == "memory") {
        AddMemory(tree, folder, limits);
      }
    }
  }
}

}  // namespace

Limits ReadLimits(const Tree& tree) {
  Limits limits;
  std::istringstream lines(tree.Text("proc/self/cgroup").value_or(""));
  for (std::string line; std::getline(lines, line);) {
    AddHierarchy(tree, line, limits);
  }
  return limits;
}

}  // namespace assay::hardware
