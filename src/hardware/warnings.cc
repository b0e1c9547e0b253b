#include "hardware/warnings.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <optional>

#include "base/text.h"
#include "hardware/ticks.h"

namespace assay::hardware {
namespace {

constexpr double kPressureWarns = 5;  // PSI "some" of 10 s, percent
constexpr double kPressureMistrusts = 25;
constexpr double kStealWarns = 0.01;  // of all time since boot
constexpr std::uint64_t kLittleMemory = std::uint64_t{2} << 30;
constexpr std::uint64_t kSwapInUse = std::uint64_t{64} << 20;
constexpr char kFrequency[] = "sys/devices/system/cpu/cpufreq/";

using Found = std::optional<Warning>;

/// "some avg10=9.63 ..." of proc/pressure/cpu; nothing where the kernel does not keep it.
std::optional<double> CpuPressure(const Tree& tree) {
  const auto some = tree.Field("proc/pressure/cpu", "some avg10=");
  return some ? std::optional(std::strtod(some->c_str(), nullptr)) : std::nullopt;
}

/// Tasks that run or wait for a CPU now, without the one that asks: the 2 in "0.7 0.5 0.3 2/97 70".
double OthersRunning(const Tree& tree) {
  const auto parts = Split(tree.Text("proc/loadavg").value_or(""), ' ');
  const double running = parts.size() < 4 ? 1 : std::strtod(parts[3].c_str(), nullptr);
  return std::max(0.0, running - 1);
}

/// Mistrust needs both the pressure of the last seconds and tasks at work now: a build that has
/// just ended leaves the former behind.
Found Load(const Findings& f) {
  const double others = OthersRunning(f.tree);
  const double pressure = CpuPressure(f.tree).value_or(0);
  const double cores = static_cast<double>(f.usable.cores.size());
  if (pressure < kPressureWarns && others < std::max(1.0, cores / 2)) {
    return std::nullopt;
  }
  return Warning{
      "load",
      fmt::format("other processes are at work: {:.0f} running now, CPU pressure {:.0f} %"
                  " over 10 s",
                  others, pressure),
      "stop them, or wait until they end (top shows them)",
      pressure >= kPressureMistrusts && others >= cores};
}

Found Steal(const Findings& f) {
  const Ticks ticks = ReadTicks(f.tree);
  const double share = static_cast<double>(ticks.steal) / static_cast<double>(ticks.total);
  if (ticks.total == 0 || share < kStealWarns) {
    return std::nullopt;
  }
  return Warning{"steal",
                 fmt::format("the host has taken {:.1f} % of this virtual machine's CPU time since "
                             "it started",
                             100 * share),
                 "use a machine with dedicated CPUs, or measure when the host is quieter", false};
}

Found Governor(const Findings& f) {
  for (const std::string& policy : f.tree.Names(kFrequency)) {
    const auto governor = f.tree.Text(kFrequency + policy + "/scaling_governor");
    if (governor && *governor != "performance") {
      return Warning{"governor",
                     fmt::format("the CPU frequency governor is '{}' ({}), not 'performance'",
                                 *governor, policy),
                     "sudo cpupower frequency-set -g performance", false};
    }
  }
  return std::nullopt;
}

Found Turbo(const Findings& f) {
  const auto off = f.tree.Number("sys/devices/system/cpu/intel_pstate/no_turbo");
  const auto boost = f.tree.Number(kFrequency + std::string("boost"));
  if (!off && !boost) {
    return Warning{"turbo", "this machine does not say whether the CPU changes its clock (turbo)",
                   "nothing to do; paired rounds cancel slow changes", false};
  }
  if (off.value_or(0) == 0 && boost.value_or(1) == 1) {
    const std::string remedy =
        off ? "echo 1 | sudo tee /sys/devices/system/cpu/intel_pstate/no_turbo"
            : "echo 0 | sudo tee /sys/devices/system/cpu/cpufreq/boost";
    return Warning{"turbo", "turbo is on: the clock depends on temperature and on busy cores",
                   "for steadier numbers: " + remedy, false};
  }
  return std::nullopt;
}

Found Quota(const Findings& f) {
  if (!f.limits.cpus || *f.limits.cpus >= f.usable.LogicalCpus()) {
    return std::nullopt;
  }
  const double cpus = *f.limits.cpus;
  if (cpus != std::floor(cpus)) {
    return Warning{"quota",
                   fmt::format("the container may use {:.2f} CPUs, not a whole number", cpus),
                   "give it whole CPUs (docker: --cpuset-cpus rather than --cpus)", cpus < 1};
  }
  return Warning{"quota", fmt::format("the container may use the time of {:.0f} CPUs", cpus),
                 "pin it to CPUs of its own instead (docker: --cpuset-cpus)", false};
}

Found Throttled(const Findings& f) {
  if (f.limits.throttled == 0) {
    return std::nullopt;
  }
  return Warning{"throttled",
                 fmt::format("the container was stopped {} times for having used up its CPU quota",
                             f.limits.throttled),
                 "raise its quota, or use fewer threads (--threads)", false};
}

Found Cpuset(const Findings& f) {
  if (f.usable.LogicalCpus() >= f.machine.LogicalCpus()) {
    return std::nullopt;
  }
  return Warning{"cpuset",
                 fmt::format("this process may use {} of the machine's {} logical CPUs",
                             f.usable.LogicalCpus(), f.machine.LogicalCpus()),
                 "if that was not meant: look at taskset, the container's cpuset or the job's "
                 "allocation",
                 false};
}

Found Smt(const Findings& f) {
  if (f.usable.LogicalCpus() <= static_cast<int>(f.usable.cores.size())) {
    return std::nullopt;
  }
  return Warning{"smt",
                 fmt::format("{} cores have {} hyperthreads; one per core is used",
                             f.usable.cores.size(), f.usable.LogicalCpus()),
                 "keep other work off their siblings, or: echo off | sudo tee "
                 "/sys/devices/system/cpu/smt/control",
                 false};
}

Found Hybrid(const Findings& f) {
  const auto slow = std::count_if(f.usable.cores.begin(), f.usable.cores.end(),
                                  [](const Core& core) { return core.efficiency; });
  const auto fast = static_cast<std::ptrdiff_t>(f.usable.cores.size()) - slow;
  if (slow == 0 || fast == 0) {
    return std::nullopt;
  }
  return Warning{"hybrid",
                 fmt::format("{} performance and {} efficiency cores: work that is divided evenly "
                             "waits for the slowest",
                             fast, slow),
                 fmt::format("compare with --threads {}, the performance cores alone", fast),
                 false};
}

Found TopologyHidden(const Findings& f) {
  const auto flags = f.tree.Field("proc/cpuinfo", "flags").value_or("");
  const bool hypervisor = (" " + flags + " ").find(" hypervisor ") != std::string::npos;
  const bool siblings = f.machine.LogicalCpus() > static_cast<int>(f.machine.cores.size());
  if (f.machine.known && (!hypervisor || siblings)) {
    return std::nullopt;
  }
  return Warning{"topology",
                 fmt::format("{} CPUs are shown without hyperthreads; they may share fewer physical"
                             " cores of the host",
                             f.machine.LogicalCpus()),
                 "compare with half as many --threads; bare metal or a dedicated host tells",
                 false};
}

Found Battery(const Findings& f) {
  for (const std::string& supply : f.tree.Names("sys/class/power_supply")) {
    const std::string folder = "sys/class/power_supply/" + supply + "/";
    if (f.tree.Text(folder + "type") == "Battery" &&
        f.tree.Text(folder + "scope").value_or("System") == "System" &&
        f.tree.Text(folder + "status") == "Discharging") {
      return Warning{"battery", "running on battery: the clock is held down", "plug it in", false};
    }
  }
  return std::nullopt;
}

Found CompiledFor(const Findings& f) {
  if (f.build.optimised && !f.build.sanitised) {
    return std::nullopt;
  }
  return Warning{"build",
                 f.build.sanitised ? "this assay was built with sanitizers"
                                   : "this assay was built without optimisation",
                 "build the release preset: tools/setup.sh release", true};
}

Found Swap(const Findings& f) {
  const auto total = f.tree.NumberField("proc/meminfo", "SwapTotal").value_or(0) * 1024;
  const auto unused = f.tree.NumberField("proc/meminfo", "SwapFree").value_or(0) * 1024;
  if (total < unused + kSwapInUse) {
    return std::nullopt;
  }
  return Warning{"swap", fmt::format("{} of memory are swapped out", FormatBytes(total - unused)),
                 "close what fills the memory; then: sudo swapoff -a && sudo swapon -a", false};
}

}  // namespace

Build ThisBuild() {
  Build build;
#ifndef __OPTIMIZE__
  build.optimised = false;
#endif
  build.sanitised = std::string_view(ASSAY_SANITIZE) != "";
  return build;
}

std::vector<Warning> FindWarnings(const Findings& findings, std::uint64_t available_bytes) {
  std::vector<Warning> warnings;
  for (const auto check : {CompiledFor, Load, Quota, Throttled, Cpuset, Steal, Governor, Turbo, Smt,
                           Hybrid, TopologyHidden, Battery, Swap}) {
    if (Found found = check(findings)) {
      warnings.push_back(*std::move(found));
    }
  }
  if (available_bytes < kLittleMemory) {
    warnings.push_back({"memory",
                        fmt::format("only {} of memory are free", FormatBytes(available_bytes)),
                        "close other programs, or measure fewer conversions at once", false});
  }
  return warnings;
}

}  // namespace assay::hardware
