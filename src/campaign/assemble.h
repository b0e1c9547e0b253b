// From numbers to a record: statistics, outcomes, speedups, notes, recommendation, trust. Pure.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "campaign/campaign.h"
#include "campaign/measurements.h"
#include "campaign/preparation.h"
#include "campaign/verdict.h"
#include "record/record.h"

namespace assay::campaign {

/// What is known of an arm besides its measurements.
struct ArmFacts {
  std::string conversion;  // as asked for
  std::string label;       // tells it from the others: with what it has of its own
  int threads = 1;         // asked for
  std::int64_t batch_size = 1;
  std::string precision;  // asked for: of the conversion, or the model's own class
  std::string device;     // asked for, as engines spell it: "cpu"
  std::string engine, engine_version;
  std::string told;    // what the engine is told for it, "fp32" for the class "int8-qdq", whose
                       // graph quantises by itself; "": the same
  bool as_is = false;  // the class is the file's own: a runtime may as well compute in fp32
  std::string metric = record::kLatency;
  std::string warning = {};  // what was to be expected of it on this machine
  std::optional<Artifact> artifact;
  std::optional<record::Calibration> calibration = {};
  bool control = false;  // the A/A arm: compared with the baseline, never ranked
};

/// What its preparer or its engine says that makes it something else than was asked for; ""
/// without.
std::string DoubtOf(const ArmFacts& facts, const ArmLog& log);

/// Everything that a record is made of.
struct Findings {
  std::vector<ArmFacts> arms;
  Measurements seen;                  // as many arms
  std::vector<Judgement> judgements;  // as many; empty: nothing was judged
  std::string lowering_suspect;
  std::size_t baseline = 0;  // preferred; the first measured arm when it has no rounds
  int signal = 0;            // that ended the campaign
  std::string command_before, command_after;        // what stands around --conversions in `repeat`
  bool names_threads = false, names_batch = false;  // whether it says the arm's own, too
  std::string calibration_options;                  // and after it for an arm that is calibrated
  std::vector<std::string> mistrust_reasons;        // of the machine
};

/// Fills the arms, baseline, trust, recommendation, timing_s and clock_floor_ns of `run`.
void Assemble(const Findings& findings, record::Run& run);

}  // namespace assay::campaign
