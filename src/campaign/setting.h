// What all stages of a campaign share: the model and its inputs, the engines that are here, the
// ATen program, threads, memory and timeouts; and the jobs that workers are given from it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "campaign/calibration.h"
#include "campaign/campaign.h"
#include "campaign/engines.h"
#include "campaign/inputs.h"
#include "campaign/preparation.h"
#include "campaign/session.h"
#include "campaign/worker.h"
#include "conversion/select.h"
#include "engine/protocol.h"
#include "model/model.h"

namespace assay::campaign {

/// Of one batch size and number of threads. The references outlive it.
struct Setting {
  const model::Model& model;
  const Options& options;
  const Surroundings& around;
  Timeouts timeouts;
  int threads = 1;
  std::uint64_t memory_bytes = 0;  // limit of each worker
  Descriptions engines;            // of the arms that may run here, and of the references
  Inputs inputs;
  Calibration calibration;      // for arms that want it; none when no arm does
  Result<std::string> program;  // path of the ATen program, or why there is none: lowered from the
                                // ONNX file, or for a Python model what torch.export wrote
  std::string program_sha256;   // "" when there is none

  WorkerSpec SpecOf(const std::string& engine) const;
  engine::Job JobOf(const std::string& name, const conversion::Recipe& recipe) const;
  std::filesystem::path Artifacts() const { return around.home / "artifacts"; }
  /// What prepares it; its engines are here. Quantisers see the calibration inputs.
  PreparationSpec PreparationOf(const conversion::Choice& choice) const;
  /// `recipe` for this model: a plain one (fp32) of a model in fp16 or bf16 runs it as it is.
  conversion::Recipe InOwnPrecision(conversion::Recipe recipe) const;
  /// The same of an arm, calibrated by the method asked for where it is calibrated.
  conversion::Recipe ForArm(conversion::Recipe recipe) const;
  /// What the record says of an arm's calibration; nothing when it has none.
  std::optional<record::Calibration> CalibrationOf(const conversion::Recipe& recipe) const;
  /// Why this engine cannot run the model here, if it cannot: not here, or nothing to run.
  Status Able(const std::string& engine) const;
  /// The same for an arm: what is known of its conversion on this machine comes first.
  Status Able(const conversion::Choice& choice) const;
  bool RunsProgram(const std::string& engine) const;  // and so shares the lowering's bugs
  bool RunsModule(const std::string& engine) const;   // the Python model's own
};

/// Draws what is drawn of its inputs and of its calibration again (draw.h).
Status DrawAgain(Setting& setting, int gentleness);

/// For each of `models` one for each number of threads, in this order.
struct Settings {
  std::vector<std::vector<Setting>> all;  // [model][threads], one each at least

  const Setting& first() const { return all.front().front(); }
  /// The one with the most threads: its references take the least time.
  const Setting& ForReferences(std::size_t model) const;
  Setting& ForReferences(std::size_t model);
};

/// Draws the inputs (or reads them), asks the engines, lowers the models; none of it when no choice
/// may run on this machine.
/// Errors  kUnavailable when no engine of those that may run is here; kIo when nothing can be
///         written; those of CheckFits (fits.h), of DrawInputs.
Result<Settings> Arrange(std::span<const model::Model> models,
                         const std::vector<conversion::Choice>& choices, const Options& options,
                         const Surroundings& around, Workshop& workshop);

}  // namespace assay::campaign
