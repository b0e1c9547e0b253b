#include "hardware/calibrate.h"

#include <fmt/format.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "base/file.h"
#include "base/text.h"
#include "hardware/kernels.h"
#include "hardware/tree.h"

namespace assay::hardware {
namespace {

/// "32K", "1280K", "30M" in bytes.
double SizeOf(const std::string& text) {
  const double number = static_cast<double>(ParseNumber(text).value_or(0));
  return number * (text.ends_with('K') ? 1024.0 : text.ends_with('M') ? 1048576.0 : 1.0);
}

/// What decides the figures; another processor or other limits are measured anew.
std::string KeyOf(const Machine& machine) {
  return Sha256Of(fmt::format("calibration/3 {} {} {} {}", machine.facts.cpu, machine.usable_cores,
                              machine.facts.cpus_allowed, Join(machine.facts.isa, " ")))
      .substr(0, 16);
}

/// Vector units are not the peak of bf16 and int8 then, and nothing here measures what is.
bool HasMatrixUnits(const Machine& machine) {
  return std::ranges::any_of(machine.facts.isa,
                             [](const std::string& isa) { return isa.starts_with("amx"); });
}

/// Sizes that lie well within each level; main memory's well beyond the last, but no more than a
/// sixteenth of what is free.
Measured Measure(const Machine& machine, const Caches& caches) {
  const std::vector<int> cpus(machine.cpus.begin(),
                              machine.cpus.begin() + std::max(machine.usable_cores, 1));
  const auto threads = static_cast<double>(cpus.size());
  const auto bandwidth = [&](double bytes) {
    return bytes > 0 ? ReadBytesPerSecond(cpus, static_cast<std::size_t>(bytes)) : 0;
  };
  const double l3_each = caches.l3 / threads;
  const double most = static_cast<double>(machine.available_bytes) / 16 / threads;
  Measured measured;
  measured.fp32 = FmaPerSecond(cpus, Numbers::kFp32);
  measured.fp64 = FmaPerSecond(cpus, Numbers::kFp64);
  if (!HasMatrixUnits(machine)) {
    measured.bf16 = FmaPerSecond(cpus, Numbers::kBf16);
    measured.int8 = FmaPerSecond(cpus, Numbers::kInt8);
  }
  measured.l1 = bandwidth(caches.l1 / 2);
  measured.l2 = bandwidth(caches.l2 / 2);
  measured.l3 = l3_each > 2 * caches.l2 ? bandwidth(l3_each / 2) : 0;
  measured.dram = bandwidth(std::clamp(4 * l3_each, 16e6, std::max(most, 16e6)));
  return measured;
}

}  // namespace

Caches ReadCaches(const std::filesystem::path& root, int cpu) {
  const Tree tree(root);
  Caches caches;
  for (int index = 0; index < 8; ++index) {
    const std::string folder =
        fmt::format("sys/devices/system/cpu/cpu{}/cache/index{}/", cpu, index);
    const auto level = tree.Number(folder + "level");
    if (!level || tree.Text(folder + "type").value_or("") == "Instruction") {
      continue;
    }
    double& size = *level == 1 ? caches.l1 : *level == 2 ? caches.l2 : caches.l3;
    size = SizeOf(tree.Text(folder + "size").value_or("0"));
  }
  return caches;
}

Json ProfileOf(const Machine& machine, const Caches& caches, const Measured& measured) {
  constexpr const char* kMeasured = "measured here";
  const auto figure = [&](Json fields) {
    fields["source"] = "measured";
    fields["confidence"] = kMeasured;
    return fields;
  };
  Json rates = Json::array(), memory = Json::array();
  const auto add_rate = [&](const char* dtype, double per_s) {
    if (per_s > 0) {
      rates.push_back(
          figure({{"dtype", dtype}, {"unit", "vector"}, {"units", nullptr}, {"per_s", per_s}}));
    }
  };
  add_rate("fp32", measured.fp32);
  add_rate("fp64", measured.fp64);
  add_rate("bf16", measured.bf16);
  add_rate("int8", measured.int8);
  const auto add_level = [&](const char* name, double bytes, double per_s) {
    if (bytes > 0 && per_s > 0) {
      memory.push_back(
          figure({{"level", name}, {"capacity_bytes", bytes}, {"bytes_per_s", per_s}}));
    }
  };
  add_level("L1", caches.l1 * machine.usable_cores, measured.l1);
  add_level("L2", caches.l2 * machine.usable_cores, measured.l2);
  add_level("L3", caches.l3, measured.l3);
  add_level("DRAM", static_cast<double>(machine.facts.memory_bytes), measured.dram);
  return {{"name", "this"},
          {"aliases", Json::array({machine.facts.cpu})},
          {"family", Json::array()},
          {"vendor", "this machine"},
          {"kind", "cpu"},
          {"class", kMeasured},
          {"sources",
           {{"measured", fmt::format("micro-benchmark of about a second on {} usable cores of {}",
                                     machine.usable_cores, machine.facts.cpu)}}},
          {"units", figure({{"value", machine.usable_cores}})},
          {"base_clock_hz", nullptr},
          {"boost_clock_hz", nullptr},
          {"rates", rates},
          {"memory", memory},
          {"tdp_w", nullptr},
          {"process_nm", nullptr}};
}

namespace {

/// In a process of its own, so that what it touches of memory is not the caller's.
Status MeasureInto(const std::filesystem::path& file, const Machine& machine) {
  const pid_t child = ::fork();
  if (child < 0) {
    return Error{Code::kIo, fmt::format("cannot start a process: {}", std::strerror(errno)), ""};
  }
  if (child == 0) {
    const Caches caches = ReadCaches("/", machine.cpus.empty() ? 0 : machine.cpus.front());
    const Json json = ProfileOf(machine, caches, Measure(machine, caches));
    ::_exit(WriteFileAtomically(file, json.dump(2) + "\n") ? 0 : 1);
  }
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return status == 0 ? Status{}
                     : Error{Code::kIo, "this machine could not be measured",
                             fmt::format("see that {} can be written", file.string())};
}

}  // namespace

Result<Profile> ThisProfile(const std::filesystem::path& cache,
                            const std::function<void(const std::string&)>& tell) {
  ASSAY_ASSIGN(const Machine machine, Detect());
  const std::filesystem::path file = cache / fmt::format("this-{}.json", KeyOf(machine));
  if (std::filesystem::exists(file)) {
    const auto json = ReadJson(file);
    auto known = json ? ProfileFromJson(*json, file.string()) : Result<Profile>(json.error());
    if (known) {
      return known;
    }
  }
  tell("measuring this machine once: rates and bandwidths, about a second");
  std::error_code ignored;
  std::filesystem::create_directories(cache, ignored);
  ASSAY_TRY(MeasureInto(file, machine));
  ASSAY_ASSIGN(const Json json, ReadJson(file));
  return ProfileFromJson(json, "this machine");
}

}  // namespace assay::hardware
