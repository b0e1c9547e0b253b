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
  std::string threads;                                   // "1,2,4", "auto"; "": the physical cores
  std::vector<std::int64_t> batch_sizes;                 // none: the model's own
  std::optional<double> precision_target;                // percent
  std::optional<double> max_seconds, timeout, memory_gb, tolerance;
  std::vector<std::string> inputs, outputs;
  std::string calibration, calibration_method;
  bool control = false, resume = false, quiet = false, verbose = false, no_progress = false;
  std::string keep, format = "text";

  void AddTo(CLI::App& verb);

  /// cores  physical ones that assay may use
  /// Errors  kInvalidArgument for what has no meaning.
  Result<campaign::Options> ForCampaign(int cores) const;
  /// The model, once for each batch size asked for. Errors  those of ModelOptions::Load.
  Result<std::vector<model::Model>> Models(const Tell& tell) const;
  /// Errors  as above; those of Select and TierChoices.
  Result<std::vector<conversion::Choice>> Choices(const conversion::Host& host) const;
  /// Errors  kInvalidArgument when calibration is asked for and no choice wants any.
  Status CheckCalibration(const std::vector<conversion::Choice>& choices) const;
  Telling telling() const;
};

}  // namespace assay::cli
