#include "campaign/estimate.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <vector>

namespace assay::campaign {
namespace {

// Assumptions, in seconds where nothing else is said: what tier 3 took with ResNet-18, ResNet-50
// and MobileNet-v2 on two cores of an EPYC, November 2026.
constexpr double kInductorS = 30, kInductorOfNodeS = 0.22;
constexpr double kAheadS = 25, kQuantiseS = 15, kOtherS = 5;
constexpr double kInt8 = 0.2, kBf16 = 0.5, kSimulated = 2.0;  // latencies over eager's
constexpr double kLoadS = 1;                                  // without the process' start
constexpr double kPythonStartS = 4, kNativeStartS = 1;        // importing PyTorch takes most of it
constexpr double kWarmUpS = 0.3;                              // four slices of 50 ms, at least
constexpr double kMostWarmUpS = 3;
constexpr double kSliceS = 0.05, kLongestSliceS = 0.5;
constexpr double kFewestSamples = 5;
constexpr double kFirstInferences = 6;        // and one for each set of inputs, for the verdict
constexpr double kRoundsOfDecidedRuns = 1.5;  // generations of the few that are undecided, besides
constexpr double kMinute = 60;

double AssumedPreparation(const conversion::Recipe& recipe, double nodes) {
  if (recipe.compiler == "inductor") {
    return kInductorS + kInductorOfNodeS * nodes;
  }
  return recipe.compiler == "aot_inductor" ? kAheadS
         : recipe.quantisation.empty()     ? kOtherS
                                           : kQuantiseS;
}

/// What is assumed.
double LatencyOverEager(const conversion::Recipe& recipe) {
  const std::string& how = recipe.quantisation;
  if (how == "static_int8" || how == "x86_int8" || how == "fx_int8") {
    return kInt8;
  }
  return !how.empty() ? kSimulated : recipe.precision == "bf16" ? kBf16 : 1;
}

double SliceOf(double latency_s, double fastest_s) {
  const double inferences = std::max(kFewestSamples, std::ceil(kSliceS / fastest_s));
  return std::max(std::min(inferences * latency_s, kLongestSliceS), kFewestSamples * latency_s);
}

/// One generation of one arm.
double GenerationOf(const Outlook& arm, double fastest_s, int rounds, double cores) {
  const double warm_up =
      std::max(kWarmUpS, std::min(kMostWarmUpS, 4 * SliceOf(arm.latency_s, arm.latency_s)));
  return arm.start_s / cores + kFirstInferences * arm.latency_s + warm_up +
         rounds * (SliceOf(arm.latency_s, fastest_s) + arm.latency_s);
}

}  // namespace

Outlook OutlookOf(const conversion::Recipe& recipe, bool in_python, const Past& past, bool prepares,
                  const Assumed& assumed) {
  Outlook outlook;
  if (prepares) {
    outlook.prepare_s = past.prepare_s.value_or(AssumedPreparation(recipe, assumed.nodes));
  }
  outlook.start_s = past.load_s.value_or(kLoadS) + (in_python ? kPythonStartS : kNativeStartS);
  outlook.latency_s =
      past.latency_ms ? *past.latency_ms * 1e-3 : assumed.eager_s * LatencyOverEager(recipe);
  outlook.assumed = !past.latency_ms || !past.load_s || (prepares && !past.prepare_s);
  return outlook;
}

Estimate EstimateOf(std::span<const Outlook> arms, const Effort& effort, int cores) {
  Estimate estimate;
  double fastest = 1e9;
  for (const Outlook& arm : arms) {
    ++estimate.arms;
    estimate.prepared += arm.prepared ? 1 : 0;
    estimate.assumed += arm.assumed ? 1 : 0;
    fastest = std::min(fastest, arm.latency_s);
  }
  const double hands = std::clamp(cores, 1, std::max(1, effort.prepared_at_once));
  const double at_once = std::clamp(cores, 1, 2);  // processes that load side by side
  const int rounds = (12 + effort.processes - 1) / effort.processes;
  for (const Outlook& arm : arms) {
    const bool stays = effort.cut == 0 || arm.latency_s < effort.cut * fastest;
    const double generations = stays ? effort.processes - 1 + kRoundsOfDecidedRuns : 0;
    estimate.prepare_s += arm.prepare_s / hands;
    estimate.measure_s += (1 + generations) * GenerationOf(arm, fastest, rounds, at_once);
  }
  if (effort.heat > 0 && arms.size() > effort.heat + 1) {
    estimate.groups = static_cast<int>((arms.size() - 2) / effort.heat + 1);
  }
  return estimate;
}

std::string Describe(const Estimate& estimate) {
  const auto minutes = [](double seconds) { return std::max(1.0, std::round(seconds / kMinute)); };
  std::string text = fmt::format(
      "{} of {} arms can run here, {} of them are prepared already; {} group{}; about "
      "{} min",
      estimate.arms, estimate.arms + estimate.unable, estimate.prepared, estimate.groups,
      estimate.groups == 1 ? "" : "s", minutes(estimate.prepare_s + estimate.measure_s));
  if (estimate.prepare_s > 0) {
    text += fmt::format(" ({} of them preparing)", minutes(estimate.prepare_s));
  }
  if (estimate.assumed > 0) {
    text +=
        fmt::format("; for {} arms that no earlier run has seen it is assumed", estimate.assumed);
  }
  return text;
}

double AssumedLatency(double macs, int threads) {
  constexpr double kMacsPerSecond = 30e9;
  return std::max(1e-4, macs / (kMacsPerSecond * std::max(1, threads)));
}

}  // namespace assay::campaign
