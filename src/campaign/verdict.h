// Whether outputs are right: each arm's against golden and witness. Pure; docs/measuring.md,
// "Output verdict", has the method.
#pragma once

#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "campaign/outputs.h"
#include "record/record.h"

namespace assay::campaign {

struct References {
  std::optional<Outputs> golden;  // the ATen program in fp64; or, with `own`, the user's module
  std::optional<Outputs> eager;   // the same in fp32: its error is the noise
  std::map<std::string, Outputs> plains;  // of the classes of arms, by ArmOutputs::plain
  std::optional<Outputs> plain;       // what scales the tolerance of a model of a reduced class:
                                      // the ATen program as the file has it (fp16, bf16), or in
                                      // fp64 without its quantisation (int8-qdq)
  std::optional<Outputs> witness;     // another runtime without optimisations
  std::string precision = "fp32";     // the model's own class, in which the witness ran
  std::string no_golden, no_witness;  // why not
  bool fixed_input = false;           // every set is the same, by the user's choice
  bool drawn = false;                 // some input is random
  bool own = false;  // golden is the Python model itself, which nothing can outvote
};

struct ArmOutputs {
  const Outputs* outputs = nullptr;  // none: unchecked
  std::string precision = "fp32";    // class of the conversion, decides the tolerance
  std::string plain = {};            // of References::plains: what scales its tolerance, or ""
  bool lowered = false;              // runs our ATen program: shares golden's bugs
  bool witness_runtime = false;      // runs on the witness' runtime: shares its bugs
};

struct Judgement {
  record::Output output;
  record::Outcome outcome = record::Outcome::kMeasured;  // or kWrongOutput, kMistrusted
  std::string reason;                                    // one line, "" when it passed
  std::string note = {};                                 // what was left out, "" for nothing
};

struct Verdict {
  std::vector<Judgement> arms;
  std::string lowering_suspect;  // what speaks against the lowering, "" for nothing
};

/// tolerance  --tolerance: replaces that of every class
Verdict Judge(const References& references, std::span<const ArmOutputs> arms,
              std::optional<double> tolerance);

/// Errors of the references that an arm is held to against golden; nothing where there is none.
struct Noise {
  std::optional<double> fp32;   // of the ATen program in fp32
  std::optional<double> plain;  // of the plain run: how far the class itself is off
};

/// The relative L2 error with which an output of this class passes. Nothing for int2, which is
/// never judged.
std::optional<double> ToleranceOf(const std::string& precision, const Noise& noise);

}  // namespace assay::campaign
