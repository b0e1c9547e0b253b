// The options of `assay run`, and what they mean to a campaign.
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

#include "campaign/campaign.h"
#include "cli/model_options.h"
#include "cli/progress.h"
#include "conversion/select.h"

namespace assay::cli {

struct RunOptions {
  ModelOptions model;
  std::string conversions;
  std::optional<std::string> tier;
  std::optional<int> samples, baseline_runs, processes;  // unset: the tier's
  std::string threads;                                   // a count; a list is not built yet
  std::optional<double> precision_target;                // percent
  std::optional<double> max_seconds, timeout, memory_gb, tolerance;
  std::vector<std::string> inputs, outputs;
  std::string calibration, calibration_method;
  bool control = false, resume = false, quiet = false, verbose = false, no_progress = false;
  std::string keep, format = "text";

  void AddTo(CLI::App& verb);

  /// Errors  kInvalidArgument for what is not built yet or has no meaning.
  Result<campaign::Options> ForCampaign() const;
  /// Errors  as above; those of Select and TierChoices.
  Result<std::vector<conversion::Choice>> Choices(const conversion::Host& host) const;
  /// Errors  kInvalidArgument when calibration is asked for and no choice wants any.
  Status CheckCalibration(const std::vector<conversion::Choice>& choices) const;
  Telling telling() const;
};

}  // namespace assay::cli
