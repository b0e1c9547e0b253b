#include "campaign/notes.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "campaign/pairing.h"
#include "stats/stats.h"

namespace assay::campaign {
namespace {

constexpr double kTicksPerSecond = 100;  // USER_HZ, the unit of /proc/stat on Linux

std::string OnOutliers(const ArmLog& log) {
  const std::size_t outliers = stats::Outliers(log.samples_ns).size();
  if (outliers == 0) {
    return "";
  }
  const engine::Charges& charges = log.charges;
  std::string note =
      fmt::format("{} of {} samples lie beyond 10 sigma (kept)", outliers, log.samples_ns.size());
  note += fmt::format(
      "; while it was timed: {} involuntary context switches, {} major and {} "
      "minor page faults",
      charges.involuntary_switches, charges.major_faults, charges.minor_faults);
  if (log.steal_ticks > 0) {
    note += fmt::format(", {:.2f} s taken by the hypervisor",
                        static_cast<double>(log.steal_ticks) / kTicksPerSecond);
  }
  return note;
}

std::string OnThreads(const ArmLog& log, int asked) {
  if (!log.loaded || log.slice_medians_ns.empty()) {
    return "";
  }
  if (log.loaded->threads != asked) {
    return fmt::format("asked for {} threads, obtained {}", asked, log.loaded->threads);
  }
  return log.charges.threads_active < asked
             ? fmt::format("{} of {} threads used CPU time", log.charges.threads_active, asked)
             : "";
}

std::string OnProcesses(const Findings& findings, std::size_t baseline, std::size_t arm) {
  const stats::Comparison comparison = stats::Compare(LogRatios(findings.seen, baseline, arm));
  if (arm == baseline || !comparison.process_limited) {
    return "";
  }
  return fmt::format(
      "its processes differ by {:.1f} % (sd), more than rounds explain: the interval is over "
      "processes",
      100 * comparison.process_spread);
}

std::string OnWarmUp(const ArmLog& log) {
  const auto unsteady = std::count(log.steady.begin(), log.steady.end(), false);
  return unsteady == 0 ? ""
                       : fmt::format("never steady during the warm-up of {} of {} processes",
                                     unsteady, log.steady.size());
}

std::string OnBatches(const ArmLog& log) {
  return log.samples_ns.empty() || log.size.batch == 1
             ? ""
             : fmt::format("timed in batches of {} inferences", log.size.batch);
}

std::string OnCalibration(const record::Calibration& calibration) {
  if (calibration.source != "files") {
    return fmt::format("calibrated on {} {}", calibration.samples,
                       calibration.source == record::kSynthetic ? "synthetic inputs"
                                                                : "inputs with what --input gives");
  }
  const std::string rest =
      calibration.dropped == 0
          ? ""
          : fmt::format("; {} rows at the end fill no sample", calibration.dropped);
  return fmt::format("calibrated on {} samples of {}{}", calibration.samples, calibration.folder,
                     rest);
}

}  // namespace

std::optional<double> ProcessSpread(const Measurements& seen, std::size_t arm) {
  std::vector<double> logs;
  for (const SessionLog& session : seen.sessions) {
    std::vector<double> medians;
    for (const auto& value : RoundsOf(session, arm)) {
      if (value) {
        medians.push_back(*value);
      }
    }
    if (!medians.empty()) {
      logs.push_back(std::log(stats::Median(medians)));
    }
  }
  return logs.size() < 2 ? std::nullopt : std::optional(stats::StandardDeviation(logs));
}

std::vector<std::string> NotesOn(const Findings& findings, std::size_t baseline, std::size_t arm) {
  const ArmLog& log = findings.seen.arms[arm];
  std::vector<std::string> notes;
  if (findings.arms[arm].control) {
    notes.push_back("the control: the baseline once more, to be as fast as itself");
  }
  if (!findings.arms[arm].warning.empty()) {
    notes.push_back(findings.arms[arm].warning);
  }
  if (log.loaded) {
    notes.insert(notes.end(), log.loaded->notes.begin(), log.loaded->notes.end());
  }
  if (const auto& artifact = findings.arms[arm].artifact) {
    notes.insert(notes.end(), artifact->notes.begin(), artifact->notes.end());
  }
  if (log.loaded && findings.arms[arm].calibration) {
    notes.push_back(OnCalibration(*findings.arms[arm].calibration));
  }
  if (arm < findings.judgements.size() && !findings.judgements[arm].reason.empty() &&
      findings.judgements[arm].output.verdict == "unchecked" && log.loaded) {
    notes.push_back("output unchecked: " + findings.judgements[arm].reason);
  }
  if (arm < findings.judgements.size() && log.loaded) {
    const std::vector<std::string>& said = findings.judgements[arm].notes;
    notes.insert(notes.end(), said.begin(), said.end());
  }
  if (!log.cut.empty()) {
    notes.push_back(fmt::format("cut early, so that it has no interval: {}", log.cut));
  }
  for (std::string note : {OnThreads(log, findings.arms[arm].threads), OnBatches(log),
                           OnWarmUp(log), OnProcesses(findings, baseline, arm), OnOutliers(log)}) {
    if (!note.empty()) {
      notes.push_back(std::move(note));
    }
  }
  notes.insert(notes.end(), findings.seen.notes.begin(), findings.seen.notes.end());
  return notes;
}

}  // namespace assay::campaign
