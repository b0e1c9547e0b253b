#include "campaign/assemble.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "campaign/notes.h"
#include "campaign/pairing.h"
#include "campaign/recommend.h"
#include "stats/stats.h"

namespace assay::campaign {
namespace {

constexpr double kConfidence = 0.95;  // of a latency's interval
constexpr std::size_t kMostSamples = 100'000;
constexpr double kMsPerNs = 1e-6;

template <typename T>
std::optional<T> MedianOf(const std::vector<T>& values) {
  if (values.empty()) {
    return std::nullopt;
  }
  const std::vector<double> doubles(values.begin(), values.end());
  return static_cast<T>(stats::Median(doubles));
}

/// ns, slice_medians_ns  of single inferences
record::Latency LatencyOf(const std::vector<double>& ns,
                          const std::vector<double>& slice_medians_ns) {
  std::vector<double> ms(ns);
  std::transform(ms.begin(), ms.end(), ms.begin(), [](double one) { return one * kMsPerNs; });
  record::Latency latency;
  latency.median = stats::Median(ms);
  latency.mean = stats::Mean(ms);
  latency.min = *std::min_element(ms.begin(), ms.end());
  latency.n = ms.size();
  if (ms.size() > 1) {
    latency.stddev = stats::StandardDeviation(ms);
  }
  if (const auto interval = stats::MedianInterval(slice_medians_ns, kConfidence)) {
    latency.ci95 = record::Interval{interval->low * kMsPerNs, interval->high * kMsPerNs};
  }
  latency.p90 = stats::SupportedPercentile(ms, 0.90);
  latency.p95 = stats::SupportedPercentile(ms, 0.95);
  latency.p99 = stats::SupportedPercentile(ms, 0.99);
  return latency;
}

void FillNumbers(const ArmLog& log, const ArmFacts& facts, record::Arm& arm) {
  if (log.samples_ns.empty()) {
    return;
  }
  const bool apart = !log.latencies_ns.empty();
  arm.latency_ms = LatencyOf(apart ? log.latencies_ns : log.samples_ns,
                             apart ? log.slice_latencies_ns : log.slice_medians_ns);
  const double per_s = static_cast<double>(facts.batch_size) * 1e9;
  arm.throughput_per_s = per_s / stats::Median(log.samples_ns);
  if (const auto interval = stats::MedianInterval(log.slice_medians_ns, kConfidence)) {
    arm.throughput_ci95 = record::Interval{per_s / interval->high, per_s / interval->low};
  }
  const std::size_t kept = std::min(log.samples_ns.size(), kMostSamples);
  for (std::size_t i = 0; i < kept; ++i) {
    arm.samples_ms.push_back(log.samples_ns[i] * kMsPerNs);
  }
  arm.batch = log.size.batch;
  arm.timed = log.samples_ns.size() * static_cast<std::uint64_t>(log.size.batch);
}

void FillProcesses(const ArmLog& log, const ArmFacts& facts, record::Arm& arm) {
  arm.threads.asked = facts.threads;
  arm.batch_size = facts.batch_size;
  arm.precision.asked = facts.precision;
  arm.device.asked = facts.device;
  if (log.loaded) {
    arm.threads.obtained = log.loaded->threads;
    const bool as_told =
        log.loaded->precision == (facts.told.empty() ? facts.precision : facts.told);
    arm.precision.obtained = as_told ? facts.precision : log.loaded->precision;
    arm.device.obtained = log.loaded->device;
  }
  arm.load_s = MedianOf(log.load_s);
  if (const auto first = MedianOf(log.first_inference_ns)) {
    arm.first_inference_ms = *first * kMsPerNs;
  }
  arm.peak_rss_bytes = MedianOf(log.peak_rss_bytes);
  arm.file_rss_bytes = MedianOf(log.file_rss_bytes);
  if (!log.steady.empty()) {
    arm.steady = std::all_of(log.steady.begin(), log.steady.end(), [](bool b) { return b; });
  }
  if (facts.artifact) {
    arm.prepare_s = facts.artifact->seconds;
    arm.prepare_cached = facts.artifact->cached;
    arm.artifact_bytes = facts.artifact->bytes;
    arm.prepare_peak_rss_bytes = facts.artifact->peak_rss_bytes;
    arm.artifact = facts.artifact->folder;
  }
}

/// What the engine says it did against what it was asked for; "" when they agree.
std::string NotAsAsked(const ArmLog& log, const record::Arm& arm, const ArmFacts& facts) {
  for (const auto& [what, value] :
       {std::pair("precision", &arm.precision), std::pair("device", &arm.device)}) {
    const bool wider = facts.as_is && value == &arm.precision && value->obtained == "fp32";
    if (value->obtained && *value->obtained != value->asked && !wider) {
      return fmt::format("asked for {} {}, obtained {}", what, value->asked, *value->obtained);
    }
  }
  return DoubtOf(facts, log);
}

void FillOutcome(const ArmLog& log, const ArmFacts& facts, const Judgement* judgement, int signal,
                 record::Arm& arm) {
  arm.stopped = log.stopped;
  if (judgement != nullptr && log.loaded) {
    arm.output = judgement->output;
  }
  const std::string not_as_asked = NotAsAsked(log, arm, facts);
  if (log.end) {
    arm.outcome = log.end->outcome;
    arm.reason = log.end->reason;
    arm.hint = log.end->hint;
    arm.stage = log.end->stage;
  } else if (log.samples_ns.empty()) {
    arm.outcome = record::Outcome::kNotRun;
    arm.stopped = signal != 0 ? "interrupted" : "budget";
    arm.reason = signal != 0 ? "the run was interrupted before it was measured"
                             : "the time budget ended before it was measured";
    arm.hint = signal != 0 ? "" : "raise --max-seconds";
  } else if (judgement != nullptr && judgement->outcome == record::Outcome::kWrongOutput) {
    arm.outcome = judgement->outcome;
    arm.reason = judgement->reason;
  } else if (!not_as_asked.empty()) {
    arm.outcome = record::Outcome::kMistrusted;
    arm.reason = not_as_asked;
  } else {
    arm.outcome = judgement != nullptr ? judgement->outcome : record::Outcome::kMeasured;
    arm.reason =
        arm.outcome == record::Outcome::kMeasured || judgement == nullptr ? "" : judgement->reason;
  }
}

void FillSpeedup(const Findings& findings, std::size_t baseline, std::size_t index,
                 record::Arm& arm) {
  if (index == baseline) {
    return;
  }
  const auto ratios = LogRatios(findings.seen, baseline, index);
  if (ratios.empty()) {
    return;
  }
  const stats::Comparison comparison = stats::Compare(ratios);
  const ArmFacts& against = findings.arms[baseline];
  const bool alike = against.metric == arm.metric && against.batch_size == arm.batch_size;
  arm.speedup = record::Speedup{.vs = against.label,
                                .ratio = comparison.ratio,
                                .ci95 = {},
                                .separated = stats::Separated(comparison),
                                .rounds = comparison.rounds,
                                .metric = alike ? arm.metric : record::kThroughput};
  if (ratios.size() > 1) {
    arm.process_spread = comparison.process_spread;  // free of what moved both
  }
  // One process, which is what a cut arm had, says nothing about how others differ.
  const bool cut = !findings.seen.arms[index].cut.empty();
  if (cut) {
    arm.speedup->separated = false;
  } else if (comparison.interval) {
    arm.speedup->ci95 = record::Interval{comparison.interval->low, comparison.interval->high};
  }
}

std::string Repeat(const Findings& findings, const ArmFacts& facts, std::size_t baseline) {
  return fmt::format("{}{} --conversions {}{}{}{}{}", findings.command_before,
                     findings.names_batch ? fmt::format(" --batch-size {}", facts.batch_size) : "",
                     facts.control ? findings.arms[baseline].conversion : facts.conversion,
                     facts.control ? " --control" : "",
                     findings.names_threads ? fmt::format(" --threads {}", facts.threads) : "",
                     findings.command_after, facts.calibration ? findings.calibration_options : "");
}

record::Arm ArmOf(const Findings& findings, std::size_t baseline, std::size_t index) {
  const ArmFacts& facts = findings.arms[index];
  const ArmLog& log = findings.seen.arms[index];
  const Judgement* judgement =
      index < findings.judgements.size() ? &findings.judgements[index] : nullptr;
  record::Arm arm;
  arm.conversion = facts.conversion;
  arm.label = facts.label;
  arm.engine = facts.engine;
  arm.engine_version = facts.engine_version;
  arm.calibration = facts.calibration;
  arm.metric = facts.metric;
  arm.requests = log.loaded ? log.loaded->places : 1;
  FillNumbers(log, facts, arm);
  FillProcesses(log, facts, arm);
  FillOutcome(log, facts, judgement, findings.signal, arm);
  arm.process_spread = ProcessSpread(findings.seen, index);
  FillSpeedup(findings, baseline, index, arm);
  arm.notes = NotesOn(findings, baseline, index);
  arm.repeat = Repeat(findings, facts, baseline);
  return arm;
}

}  // namespace

std::string DoubtOf(const ArmFacts& facts, const ArmLog& log) {
  const bool doubted = facts.artifact && !facts.artifact->doubt.empty();
  return doubted ? facts.artifact->doubt : log.loaded ? log.loaded->doubt : "";
}

void Assemble(const Findings& findings, record::Run& run) {
  const std::size_t baseline = BaselineOf(findings.seen, findings.baseline);
  const bool any = !findings.seen.arms[baseline].slice_medians_ns.empty();
  run.baseline = any ? findings.arms[baseline].label : "";
  for (std::size_t arm = 0; arm < findings.arms.size(); ++arm) {
    run.arms.push_back(ArmOf(findings, baseline, arm));
  }
  run.timing_s = findings.seen.timing_s;
  run.clock_floor_ns = findings.seen.clock_floor_ns;
  run.trust_reasons = MistrustReasons(findings, baseline);
  run.trust = run.trust_reasons.empty() ? "ok" : "mistrusted";
  run.recommendation = Recommend(findings, run);
}

}  // namespace assay::campaign
