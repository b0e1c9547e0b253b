#include "campaign/repeat.h"

#include <fmt/format.h>

#include "base/text.h"

namespace assay::campaign {

std::string RepeatOptions(const Options& options) {
  const Options usual;
  std::string text;
  const auto add = [&](const char* name, const auto& value) {
    text += fmt::format(" --{} {}", name, value);
  };
  if (options.samples != usual.samples) {
    add("samples", options.samples);
  }
  if (options.baseline_runs != usual.baseline_runs) {
    add("baseline-runs", options.baseline_runs);
  }
  if (options.precision_target) {
    add("precision-target", *options.precision_target * 100);  // percent on the command line
  }
  if (options.processes != usual.processes) {
    add("processes", options.processes);
  }
  if (options.max_seconds) {
    add("max-seconds", *options.max_seconds);
  }
  if (options.stage_timeout_s) {
    add("timeout", *options.stage_timeout_s);
  }
  if (options.memory_bytes) {
    add("memory", static_cast<double>(*options.memory_bytes) * 1e-9);  // GB on the command line
  }
  if (options.tolerance) {
    add("tolerance", *options.tolerance);
  }
  if (options.seed != usual.seed) {
    add("seed", options.seed);
  }
  return text;
}

std::string CalibrationOptions(const Options& options) {
  const Options usual;
  std::string text;
  if (!options.calibration.empty()) {
    text += " --calibration " + ShellQuoted(options.calibration.string());
  }
  if (options.calibration_method != usual.calibration_method) {
    text += " --calibration-method " + options.calibration_method;
  }
  return text;
}

}  // namespace assay::campaign
