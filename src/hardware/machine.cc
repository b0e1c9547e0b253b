#include "hardware/machine.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

#include "base/text.h"
#include "hardware/cgroup.h"
#include "hardware/topology.h"
#include "hardware/tree.h"
#include "hardware/warnings.h"

namespace assay::hardware {
namespace {

/// Instruction sets that decide which kernels a runtime picks, spelled as in /proc/cpuinfo.
constexpr std::string_view kIsa[] = {
    "sse4_2",       "avx",           "f16c",        "fma",        "avx2",
    "avx_vnni",     "avx_vnni_int8", "avx_ifma",    "avx512f",    "avx512bw",
    "avx512dq",     "avx512vl",      "avx512_vnni", "avx512ifma", "avx512vbmi",
    "avx512_vbmi2", "avx512_bf16",   "avx512_fp16", "amx_tile",   "amx_int8",
    "amx_bf16",     "amx_fp16",      "neon",        "asimd",      "asimdhp",
    "asimddp",      "i8mm",          "bf16",        "sve",        "sve2",
    "sme"};

std::string CpuName(const Tree& tree) {
  if (const auto name = tree.Field("proc/cpuinfo", "model name")) {
    return *name;
  }
  const auto implementer = tree.Field("proc/cpuinfo", "CPU implementer");  // Arm names no model
  const auto part = tree.Field("proc/cpuinfo", "CPU part");
  return implementer && part ? fmt::format("Arm {} part {}", *implementer, *part) : "unknown";
}

std::vector<std::string> IsaOf(const Tree& tree) {
  auto flags = tree.Field("proc/cpuinfo", "flags");
  if (!flags) {
    flags = tree.Field("proc/cpuinfo", "Features");  // Arm
  }
  const std::vector<std::string> words = Split(flags.value_or(""), ' ');
  std::vector<std::string> isa;
  for (const std::string_view name : kIsa) {
    if (std::find(words.begin(), words.end(), name) != words.end()) {
      isa.emplace_back(name);
    }
  }
  return isa;
}

std::string OsOf(const Tree& tree) {
  std::string name = tree.Field("etc/os-release", "PRETTY_NAME=").value_or("Linux");
  std::erase(name, '"');
  return fmt::format("{}, Linux {}", name,
                     tree.Text("proc/sys/kernel/osrelease").value_or("unknown"));
}

/// One logical CPU of each core, then the second of each, and so on.
std::vector<int> CoresFirst(const Topology& topology) {
  std::vector<int> cpus;
  for (std::size_t thread = 0; cpus.size() < static_cast<std::size_t>(topology.LogicalCpus());
       ++thread) {
    for (const Core& core : topology.cores) {
      if (thread < core.cpus.size()) {
        cpus.push_back(core.cpus[thread]);
      }
    }
  }
  return cpus;
}

int UsableCores(const Topology& usable, const Limits& limits) {
  const int cores = static_cast<int>(usable.cores.size());
  const double quota = limits.cpus.value_or(cores);
  return std::max(1, std::min(cores, static_cast<int>(std::min<double>(quota, cores))));
}

std::uint64_t AvailableBytes(const Tree& tree, const Limits& limits) {
  const std::uint64_t free = tree.NumberField("proc/meminfo", "MemAvailable").value_or(0) * 1024;
  return std::min(free, limits.memory_free.value_or(free));
}

}  // namespace

std::uint64_t AvailableBytes(const std::filesystem::path& root) {
  const Tree tree(root);
  return AvailableBytes(tree, ReadLimits(tree));
}

Result<Machine> Detect(const std::filesystem::path& root) {
  const Tree tree(root);
  const auto total_kib = tree.NumberField("proc/meminfo", "MemTotal");
  const auto allowed = tree.Field("proc/self/status", "Cpus_allowed_list");
  if (!total_kib || !allowed) {
    return Error{Code::kUnsupported,
                 fmt::format("no machine below '{}': {} says nothing", root.string(),
                             total_kib ? "proc/self/status" : "proc/meminfo"),
                 "a Linux /proc is needed; in a container mount it"};
  }
  const Topology all = ReadTopology(tree);
  const Topology usable = Restrict(all, ParseCpuList(*allowed));
  const Limits limits = ReadLimits(tree);
  const std::uint64_t total = *total_kib * 1024;

  Machine machine;
  machine.usable_cores = UsableCores(usable, limits);
  machine.cpus = CoresFirst(usable);
  machine.available_bytes = AvailableBytes(tree, limits);
  if (tree.Text("proc/driver/nvidia/version")) {
    machine.devices.emplace_back("cuda");
  }
  machine.warnings =
      FindWarnings({tree, all, usable, limits, ThisBuild()}, machine.available_bytes);
  machine.facts.cpu = CpuName(tree);
  machine.facts.physical_cores = static_cast<int>(all.cores.size());
  machine.facts.logical_cpus = all.LogicalCpus();
  machine.facts.cpus_allowed = *allowed;
  machine.facts.isa = IsaOf(tree);
  machine.facts.memory_bytes = std::min(total, limits.memory_bytes.value_or(total));
  machine.facts.os = OsOf(tree);
  for (const Warning& warning : machine.warnings) {
    machine.facts.warnings.push_back(warning.message);
  }
  return machine;
}

}  // namespace assay::hardware
