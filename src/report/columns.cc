#include "report/columns.h"

#include <fmt/format.h>

#include <algorithm>

#include "report/format.h"

namespace assay::report {
namespace {

using record::Arm;
using record::Outcome;
using record::Run;

Cell Nothing() { return {kNothing, Tone::kFaint}; }

/// `text`, or a faint "-" when there is none.
Cell Plain(const std::string& text) {
  return text.empty() || text == kNothing ? Nothing() : Cell{text};
}

Cell Conversion(const Run& run, const Arm& arm) {
  return {record::LabelOf(arm), &arm == record::Recommended(run) ? Tone::kGood : Tone::kPlain};
}

Cell OutcomeCell(const Run&, const Arm& arm) {
  return {std::string(record::Name(arm.outcome)), ToneOf(arm.outcome)};
}

Cell Median(const Run&, const Arm& arm) {
  if (!arm.latency_ms) {
    return Nothing();
  }
  const std::string spread = PlusMinus(arm.latency_ms->ci95, arm.latency_ms->median);
  const std::string median = Milliseconds(arm.latency_ms->median);
  return {spread.empty() ? median : fmt::format("{} {}", median, spread)};
}

Cell P90(const Run&, const Arm& arm) {
  return arm.latency_ms && arm.latency_ms->p90 ? Cell{Milliseconds(*arm.latency_ms->p90)}
                                               : Nothing();
}

Cell Speedup(const Run& run, const Arm& arm) {
  if (arm.speedup) {
    const std::string ratio = Ratio(arm.speedup->ratio, arm.speedup->ci95);
    return {arm.speedup->metric == record::kLatency ? ratio : "throughput " + ratio,
            &arm == record::Recommended(run) ? Tone::kGood : Tone::kPlain};
  }
  return arm.latency_ms && record::LabelOf(arm) == run.baseline ? Cell{"baseline"} : Nothing();
}

Cell PerSecond(const Run&, const Arm& arm) {
  if (!arm.throughput_per_s) {
    return Nothing();
  }
  const std::string spread = PlusMinus(arm.throughput_ci95, *arm.throughput_per_s);
  return {fmt::format("{:.4g}{}{}{}", *arm.throughput_per_s, spread.empty() ? "" : " ", spread,
                      arm.requests > 1 ? fmt::format(", {} at a time", arm.requests) : "")};
}

Cell Output(const Run&, const Arm& arm) {
  if (!arm.output) {
    return Nothing();
  }
  const std::string& verdict = arm.output->verdict;
  const std::string error = arm.output->relative_l2 ? Scientific(*arm.output->relative_l2) : "";
  const bool doubtful = verdict == "mistrusted" || arm.output->deviates;
  return {fmt::format("{}{}{}{}", verdict, error.empty() ? "" : " ", error,
                      arm.output->deviates ? ", deviates" : ""),
          verdict == "fail" ? Tone::kBad
          : doubtful        ? Tone::kDoubtful
                            : Tone::kPlain};
}

Cell Predicted(const Run&, const Arm& arm) {
  return arm.predicted ? Cell{fmt::format("{}, {:.2f}x", Milliseconds(arm.predicted->latency_ms),
                                          arm.predicted->ratio)}
                       : Nothing();
}

Cell Roofline(const Run&, const Arm& arm) {
  return arm.predicted ? Cell{fmt::format("{:.0f} %", 100 * arm.predicted->roofline_share)}
                       : Nothing();
}

Cell PeakMemory(const Run&, const Arm& arm) { return Plain(Bytes(arm.peak_rss_bytes)); }
Cell Prepare(const Run&, const Arm& arm) { return Plain(Seconds(arm.prepare_s)); }
Cell Load(const Run&, const Arm& arm) { return Plain(Seconds(arm.load_s)); }

Cell Engine(const Run&, const Arm& arm) {
  return Plain(arm.engine_version.empty() ? arm.engine
                                          : fmt::format("{} {}", arm.engine, arm.engine_version));
}

Cell Threads(const Run&, const Arm& arm) {
  if (!arm.threads.obtained) {
    return Nothing();
  }
  const int obtained = *arm.threads.obtained;
  return obtained == arm.threads.asked
             ? Cell{fmt::format("{}", obtained)}
             : Cell{fmt::format("{} of {}", obtained, arm.threads.asked), Tone::kDoubtful};
}

Cell Precision(const Run&, const Arm& arm) {
  if (!arm.precision.obtained) {
    return Nothing();
  }
  const std::string& obtained = *arm.precision.obtained;
  return obtained == arm.precision.asked
             ? Cell{obtained}
             : Cell{fmt::format("{}, not {}", obtained, arm.precision.asked), Tone::kDoubtful};
}

Cell Timed(const Run&, const Arm& arm) {
  return arm.timed > 0 ? Cell{fmt::format("{}", arm.timed)} : Nothing();
}

}  // namespace

const std::vector<Column>& Columns() {
  static const std::vector<Column> columns = {
      {"conversion", "/conversion", {"conversion"}, Conversion},
      {"label", "/label", {}},
      {"engine", "/engine", {}},
      {"engine_version", "/engine_version", {}},
      {"outcome", "/outcome", {"outcome"}, OutcomeCell},
      {"reason", "/reason", {}},
      {"hint", "/hint", {}},
      {"stage", "/stage", {}},
      {"stopped", "/stopped", {}},
      {"median_ms", "/latency_ms/median", {"median ms", true}, Median},
      {"median_ci95_low_ms", "/latency_ms/ci95/0", {}},
      {"median_ci95_high_ms", "/latency_ms/ci95/1", {}},
      {"mean_ms", "/latency_ms/mean", {}},
      {"stddev_ms", "/latency_ms/stddev", {}},
      {"min_ms", "/latency_ms/min", {}},
      {"p90_ms", "/latency_ms/p90", {"p90 ms", true}, P90},
      {"p95_ms", "/latency_ms/p95", {}},
      {"p99_ms", "/latency_ms/p99", {}},
      {"throughput_per_s", "/throughput_per_s", {"per second", true}, PerSecond, TellsThroughput},
      {"throughput_ci95_low_per_s", "/throughput_ci95/0", {}},
      {"throughput_ci95_high_per_s", "/throughput_ci95/1", {}},
      {"requests", "/requests", {}},
      {"speedup", "/speedup/ratio", {"speedup", true}, Speedup},
      {"speedup_ci95_low", "/speedup/ci95/0", {}},
      {"speedup_ci95_high", "/speedup/ci95/1", {}},
      {"speedup_vs", "/speedup/vs", {}},
      {"speedup_metric", "/speedup/metric", {}},
      {"speedup_separated", "/speedup/separated", {}},
      {"rounds", "/speedup/rounds", {}},
      {"output", "/output/verdict", {"output error"}, Output},
      {"output_reference", "/output/reference", {}},
      {"output_relative_l2", "/output/relative_l2", {}},
      {"output_max_abs", "/output/max_abs", {}},
      {"output_cosine", "/output/cosine", {}},
      {"output_top1_agreement", "/output/top1_agreement", {}},
      {"output_tolerance", "/output/tolerance", {}},
      {"output_least_passing_tolerance", "/output/least_passing_tolerance", {}},
      {"output_deviates", "/output/deviates", {}},
      {"calibration_source", "/calibration/source", {}},
      {"calibration_folder", "/calibration/folder", {}},
      {"calibration_method", "/calibration/method", {}},
      {"calibration_samples", "/calibration/samples", {}},
      {"peak_rss_bytes", "/peak_rss_bytes", {"memory", true, true}, PeakMemory},
      {"file_rss_bytes", "/file_rss_bytes", {}},
      {"prepare_peak_rss_bytes", "/prepare_peak_rss_bytes", {}},
      {"artifact_bytes", "/artifact_bytes", {}},
      {"prepare_s", "/prepare_s", {"prepare", true}, Prepare},
      {"prepare_cached", "/prepare_cached", {}},
      {"load_s", "/load_s", {"load", true}, Load},
      {"first_inference_ms", "/first_inference_ms", {}},
      {"", "", {"engine"}, Engine},
      {"batch_size", "/batch_size", {}},
      {"threads_asked", "/threads/asked", {}},
      {"threads_obtained", "/threads/obtained", {"threads", true}, Threads},
      {"precision_asked", "/precision/asked", {}},
      {"precision_obtained", "/precision/obtained", {"precision"}, Precision},
      {"device_asked", "/device/asked", {}},
      {"device_obtained", "/device/obtained", {}},
      {"timed", "/timed", {"timed", true}, Timed},
      {"batch", "/batch", {}},
      {"steady", "/steady", {}},
      {"process_spread", "/process_spread", {}},
      {"metric", "/metric", {}},
      {"predicted_ms", "/predicted/latency_ms", {"predicted ms", true}, Predicted, HasPredictions},
      {"predicted_engine_kind", "/predicted/engine_kind", {}},
      {"predicted_ratio", "/predicted/ratio", {}},
      {"predicted_confidence", "/predicted/confidence", {}},
      {"roofline_ms", "/predicted/roofline_ms", {}},
      {"roofline_share", "/predicted/roofline_share", {"roofline", true}, Roofline, HasPredictions},
      {"repeat", "/repeat", {}},
  };
  return columns;
}

Tone ToneOf(Outcome outcome) {
  switch (outcome) {
    case Outcome::kMeasured:
      return Tone::kPlain;
    case Outcome::kMistrusted:
    case Outcome::kUnsupported:
    case Outcome::kNotRun:
      return Tone::kDoubtful;
    default:
      return Tone::kBad;
  }
}

bool HasPredictions(const Run& run) {
  return std::ranges::any_of(run.arms, [](const Arm& arm) { return arm.predicted.has_value(); });
}

bool TellsThroughput(const Run& run) {
  return std::ranges::any_of(run.arms, [&](const Arm& arm) {
    return arm.metric != record::kLatency || arm.batch_size.value_or(1) > 1;
  });
}

Table ArmTable(const Run& run) {
  std::vector<const Column*> shown;
  for (const Column& column : Columns()) {
    if (column.cell != nullptr && (column.shown == nullptr || column.shown(run))) {
      shown.push_back(&column);
    }
  }
  Table table;
  for (const Column* column : shown) {
    table.headings.push_back(column->heading);
  }
  for (const Arm& arm : run.arms) {
    std::vector<Cell> row;
    for (const Column* column : shown) {
      row.push_back(column->cell(run, arm));
    }
    table.rows.push_back(std::move(row));
  }
  return table;
}

}  // namespace assay::report
