#include "predict/assumptions.h"

#include <algorithm>
#include <cmath>

namespace assay::predict {
namespace {

constexpr double kMicrosecond = 1e-6;
constexpr double kPico = 1e-12;

struct FlopEnergy {
  std::string_view precision;
  double at_45nm, at_7nm;  // picojoules of a multiplication and an addition
};
// bf16 at 45 nm is not in the table: as fp16. fp64, fp8 and int4: by the squares and sums of their
// widths from fp32 and int8.
constexpr FlopEnergy kFlopEnergies[] = {{"fp64", 4.6 * 4, 1.69 * 4}, {"fp32", 4.6, 1.69},
                                        {"tf32", 4.6, 1.69},         {"fp16", 1.5, 0.50},
                                        {"bf16", 1.5, 0.32},         {"fp8", 0.75, 0.16},
                                        {"int8", 0.23, 0.077},       {"int4", 0.23 / 2, 0.077 / 2}};

}  // namespace

const Efficiency& EfficiencyOf(std::string_view kind) {
  static constexpr Efficiency kCpu{0.80, 0.35, 0.50, 0.80, 96, 8};
  static constexpr Efficiency kGpu{0.70, 0.25, 0.50, 0.85, 4096, 64};
  static constexpr Efficiency kTpu{0.60, 0.10, 0.50, 0.80, 16384, 128};
  static constexpr Efficiency kOther{0.50, 0.10, 0.50, 0.75, 1024, 64};
  return kind == "cpu" ? kCpu : kind == "gpu" ? kGpu : kind == "tpu" ? kTpu : kOther;
}

double OverheadOf(std::string_view kind, EngineKind engine, Kind operation) {
  const bool eager = engine == EngineKind::kEager;
  if (operation == Kind::kView) {
    return eager && (kind == "cpu" || kind == "gpu") ? 1 * kMicrosecond : 0;
  }
  if (kind == "cpu") {
    return (eager ? 4 : 1) * kMicrosecond;
  }
  if (kind == "gpu") {
    return (eager ? 5 : 2.5) * kMicrosecond;
  }
  return (eager ? 5 : 1) * kMicrosecond;
}

bool LaunchesAhead(std::string_view kind) { return kind == "gpu"; }

std::optional<double> EnergyOfFlop(std::string_view precision, double process_nm) {
  const auto found = std::ranges::find(kFlopEnergies, precision, &FlopEnergy::precision);
  if (found == std::end(kFlopEnergies)) {
    return std::nullopt;
  }
  const double at = std::clamp(std::log(process_nm / 7) / std::log(45.0 / 7), 0.0, 1.0);
  const double both = found->at_7nm * std::pow(found->at_45nm / found->at_7nm, at);
  return both / 2 * kPico;
}

double EnergyOfByte(std::string_view kind, bool cache) {
  const bool stacked = kind == "gpu" || kind == "tpu";
  return (cache ? 14 : stacked ? 350 : 1300) / 8.0 * kPico;
}

double StaticShare(std::string_view kind) { return kind == "tpu" ? 0.47 : 0.30; }

}  // namespace assay::predict
