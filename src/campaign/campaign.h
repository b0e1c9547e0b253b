// A campaign: arms (a conversion on an engine) of one model measured together, in rounds, judged,
// and written down as a record. Everything it does to processes happens in worker.h.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "campaign/effort.h"
#include "campaign/inputs.h"
#include "campaign/progress.h"
#include "conversion/select.h"
#include "hardware/profile.h"
#include "model/model.h"
#include "record/record.h"

namespace assay::campaign {

struct Options : Effort {
  std::vector<int> threads;  // each measured; none: the physical cores the process may use
  /// What --batch-size asked for, one for each model; none: the models' own.
  std::vector<std::int64_t> batch_sizes;
  /// Half-width that every interval is to have, relative. Unset: measuring goes on only while it is
  /// undecided which arm is the fastest, or until those in question are known within 1 %.
  std::optional<double> precision_target{};
  std::optional<double> max_seconds;      // timing budget; unset: seconds_per_arm of each; 0: none
  std::optional<double> stage_timeout_s;  // --timeout; unset: prepare 1800, load 300, slice 60
  std::optional<std::uint64_t> memory_bytes;  // per worker; unset: free at the start less 1 GiB
  std::optional<double> tolerance;
  bool control = false;
  bool resume = false;                        // goes on from the journal of an interrupted campaign
  std::uint64_t seed = 0;                     // inputs and the order within rounds
  std::vector<InputFile> inputs;              // that are read, not drawn
  std::filesystem::path calibration;          // folder of samples for quantisers; "": drawn
  std::string calibration_method = "minmax";  // one of conversion::kCalibrationMethods
  Json engine_options = Json::object();       // passed to every Job (the fake engine's script)
  std::string subject;  // MODEL and its options on the command line but for --batch-size, for
                        // `repeat`; "": its name
};

/// Which engines do what; tests put the fake engine everywhere.
struct Roles {
  std::string golden = "torch";  // runs the ATen program in fp64, and in fp32 for the noise
  std::string witness = "onnxruntime";
  std::string plain = "pytorch";     // runs the plain reference of each reduced class
  std::string rounding = "pytorch";  // measures what fp32 does to the model; "": nobody does
  std::vector<std::string> lowered = {"torch", "pytorch"};  // that run the ATen program
  std::string module = "pytorch";  // runs a Python model's own module, which then is golden
  std::vector<std::string> onnx = {"onnxruntime", "openvino"};  // that need the ONNX file
};

/// What a campaign finds around itself; tests put their own here.
struct Surroundings {
  std::filesystem::path engines;  // folder of the assay-engine-* programs
  std::filesystem::path home;     // caches and temporary files
  record::Machine machine;
  int physical_cores = 1;
  std::vector<int> cpus;  // hardware::Machine::cpus, to pin workers to; empty: not pinned
  std::vector<std::string> mistrust_reasons;  // of the machine: make the run `mistrusted`
  Roles roles;
  conversion::Host host = {};                     // what the machine can run
  std::optional<hardware::Profile> profile = {};  // of the machine, to predict by
};

struct Campaign {
  record::Run run;  // all but assay_version and command, which the caller knows
  int signal = 0;  // SIGINT, SIGTERM or SIGHUP when one ended it early: what was measured is in run
};

/// Measures `choices`, each with each number of threads, on each of `models`: the same one, one at
/// least, for inputs of different batch sizes. An arm that fails is data in the record, not an
/// error here; for one that is known not to run on `host` no engine is started. SIGINT, SIGTERM and
/// SIGHUP end it early, keeping what was measured; SIGTSTP stops the workers, too. What it has
/// measured lies in a journal (journal.h) until it has come to its end. Not to be called with
/// threads about: it forks. Errors  kUnavailable when no engine of those that could run is here;
/// kIo when the caches cannot be written; with `resume` those of Journal::Open.
Result<Campaign> RunCampaign(std::span<const model::Model> models,
                             const std::vector<conversion::Choice>& choices, const Options& options,
                             const Surroundings& surroundings, Progress& progress);

}  // namespace assay::campaign
