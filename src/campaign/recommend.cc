#include "campaign/recommend.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <utility>

#include "base/text.h"
#include "campaign/pairing.h"
#include "stats/stats.h"

namespace assay::campaign {
namespace {

double RatioOf(const record::Arm& arm) { return arm.speedup ? arm.speedup->ratio : 1; }

/// Arms of this metric whose output passed, without the control, fastest first; those that were cut
/// behind all others.
std::vector<std::size_t> Ranked(const Findings& findings, const record::Run& run,
                                const std::string& metric) {
  std::vector<std::size_t> ranked;
  for (std::size_t arm = 0; arm < run.arms.size(); ++arm) {
    const record::Arm& it = run.arms[arm];
    if (it.outcome == record::Outcome::kMeasured && it.output && it.output->verdict == "pass" &&
        !findings.arms[arm].control && it.metric == metric &&
        (it.speedup || record::LabelOf(it) == run.baseline)) {
      ranked.push_back(arm);
    }
  }
  const auto place = [&](std::size_t arm) {
    return std::pair(findings.seen.arms[arm].cut.empty(), RatioOf(run.arms[arm]));
  };
  std::stable_sort(ranked.begin(), ranked.end(),
                   [&](std::size_t a, std::size_t b) { return place(a) > place(b); });
  return ranked;
}

/// Those of `others` that cannot be told from the winner. Cut arms were told from it long ago,
/// unless nothing but such arms is left.
std::vector<std::size_t> NotSeparated(const Findings& findings, std::size_t winner,
                                      std::vector<std::size_t> others) {
  const auto is_cut = [&](std::size_t arm) { return !findings.seen.arms[arm].cut.empty(); };
  if (!is_cut(winner)) {
    std::erase_if(others, is_cut);
  }
  std::vector<stats::Comparison> comparisons;
  for (const std::size_t other : others) {
    comparisons.push_back(stats::Compare(LogRatios(findings.seen, winner, other)));
  }
  const std::vector<bool> slower = stats::SlowerThanLeader(comparisons);
  std::vector<std::size_t> close;
  for (std::size_t i = 0; i < others.size(); ++i) {
    if (!slower[i]) {
      close.push_back(others[i]);
    }
  }
  return close;
}

std::string Why(const record::Run& run, const record::Arm& winner, std::size_t ranked,
                std::size_t close) {
  std::string why = ranked == 1  ? "the only one whose output passed"
                    : close == 0 ? "fastest of those whose output passed"
                                 : "among the fastest of those whose output passed";
  if (ranked > 1 && winner.speedup) {
    const bool by_latency = winner.speedup->metric == record::kLatency;
    why += fmt::format(": {:.2f} x the {} of {}", winner.speedup->ratio,
                       by_latency ? "speed" : "throughput", run.baseline);
  }
  if (winner.metric != record::kLatency) {
    why += "; by throughput, as no arm that runs one inference at a time is fit";
  }
  if (winner.calibration && winner.calibration->source == record::kSynthetic) {
    why += "; its scales come from synthetic inputs, which say nothing of the errors on yours";
  }
  return why;
}

/// The best of the arms for throughput against `winner`, which runs one inference at a time.
std::optional<record::ForThroughput> BestForThroughput(const Findings& findings,
                                                       const record::Run& run, std::size_t winner) {
  const std::vector<std::size_t> ranked = Ranked(findings, run, record::kThroughput);
  if (ranked.empty()) {
    return std::nullopt;
  }
  const record::Arm& best = run.arms[ranked.front()];
  const stats::Comparison against =
      stats::Compare(LogRatios(findings.seen, winner, ranked.front()));
  std::string why =
      fmt::format("{:.2f} x the throughput of {}", against.ratio, run.arms[winner].label);
  const bool cut = !findings.seen.arms[ranked.front()].cut.empty();  // so far behind it was
  if (!cut && !stats::Separated(against)) {
    why += ", which cannot be told from it";
  } else if (against.ratio < 1) {
    why += ": one inference at a time gives more";
  }
  if (best.throughput_per_s && best.latency_ms) {
    why += fmt::format("; {:.4g} per second with {} at a time, each taking {:.4g} ms",
                       *best.throughput_per_s, best.requests, best.latency_ms->median);
  }
  return record::ForThroughput{.conversion = best.conversion, .why = why, .label = best.label};
}

/// Labels of those of `ranked` that cannot be told from its first.
std::vector<std::string> CloseTo(const Findings& findings, const record::Run& run,
                                 const std::vector<std::size_t>& ranked) {
  std::vector<std::string> labels;
  for (const std::size_t arm :
       NotSeparated(findings, ranked.front(), {ranked.begin() + 1, ranked.end()})) {
    labels.push_back(run.arms[arm].label);
  }
  return labels;
}

/// The best of each batch size, where there are several.
std::vector<record::ForBatch> BestOfBatches(const Findings& findings, const record::Run& run,
                                            const std::vector<std::size_t>& ranked) {
  std::map<std::int64_t, std::vector<std::size_t>> of;
  for (const std::size_t arm : ranked) {
    of[findings.arms[arm].batch_size].push_back(arm);
  }
  std::vector<record::ForBatch> batches;
  for (const auto& [batch_size, arms] : of) {
    const record::Arm& best = run.arms[arms.front()];
    std::string why;
    if (best.latency_ms && best.throughput_per_s) {
      why = fmt::format("{:.4g} ms, {:.4g} inputs per second", best.latency_ms->median,
                        *best.throughput_per_s);
    }
    batches.push_back({.batch_size = batch_size,
                       .conversion = best.conversion,
                       .label = best.label,
                       .why = why,
                       .not_separated_from = CloseTo(findings, run, arms)});
  }
  return batches.size() > 1 ? batches : std::vector<record::ForBatch>();
}

}  // namespace

std::optional<record::Recommendation> Recommend(const Findings& findings, const record::Run& run) {
  std::vector<std::size_t> ranked = Ranked(findings, run, record::kLatency);
  const bool by_latency = !ranked.empty();
  if (!by_latency) {
    ranked = Ranked(findings, run, record::kThroughput);
  }
  if (ranked.empty()) {
    return std::nullopt;
  }
  const record::Arm& winner = run.arms[ranked.front()];
  record::Recommendation recommendation;
  recommendation.conversion = winner.conversion;
  recommendation.label = winner.label;
  recommendation.threads = winner.threads.asked;
  recommendation.batch_size = winner.batch_size;
  recommendation.artifact = winner.artifact;
  recommendation.not_separated_from = CloseTo(findings, run, ranked);
  recommendation.batches = BestOfBatches(findings, run, ranked);
  recommendation.why = Why(run, winner, ranked.size(), recommendation.not_separated_from.size());
  if (by_latency) {
    recommendation.throughput = BestForThroughput(findings, run, ranked.front());
  }
  return recommendation;
}

std::vector<std::string> MistrustReasons(const Findings& findings, std::size_t baseline) {
  std::vector<std::string> reasons = findings.mistrust_reasons;
  if (!findings.lowering_suspect.empty()) {
    reasons.push_back(findings.lowering_suspect);
  }
  for (std::size_t arm = 0; arm < findings.arms.size(); ++arm) {
    if (!findings.arms[arm].control) {
      continue;
    }
    const stats::Comparison control = stats::Compare(LogRatios(findings.seen, baseline, arm));
    if (!control.interval) {
      reasons.push_back("the control arm was not measured");
      continue;
    }
    const auto& [low, high] = *control.interval;
    const bool holds_one = low <= 1 && high >= 1;
    const bool close = low >= 1 - stats::kLeastDifference && high <= 1 + stats::kLeastDifference;
    if (!holds_one && !close) {
      reasons.push_back(
          fmt::format("{} against itself came out as {:.3f} to {:.3f}, not 1: "
                      "something here disturbs the measurement",
                      findings.arms[baseline].label, low, high));
    }
  }
  return reasons;
}

}  // namespace assay::campaign
