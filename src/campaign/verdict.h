// Whether outputs are right: each arm's against golden and witness. Pure; docs/measuring.md,
// "Output verdict", has the method.
#pragma once

#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "campaign/output_kinds.h"
#include "campaign/outputs.h"
#include "campaign/rounding.h"
#include "record/record.h"

namespace assay::campaign {

inline constexpr const char* kLoweredGolden = "aten-fp64";
inline constexpr const char* kModuleGolden = "module-fp64";

/// What an output of indices was chosen from, in the run that made golden.
struct ChosenFrom {
  OutputSets values;
  std::int64_t axis = 0;
  Rounding rounding = {};  // of the values
};

struct References {
  std::optional<Outputs> golden;             // the best reference that there is, in fp64
  std::string golden_name = kLoweredGolden;  // what made it: Output::reference of the record
  std::optional<Outputs> eager;              // the same in fp32: where it overflows, others may
  bool eager_differs = false;  // it computes something else than golden, by PyTorch's design:
                               // either is right
  Roundings rounding;                     // of the outputs where it is known
  std::map<std::string, Outputs> plains;  // of the classes of arms, by ArmOutputs::plain
  std::optional<Outputs> plain;       // what scales the tolerance of a model of a reduced class:
                                      // the ATen program as the file has it (fp16, bf16), or in
                                      // fp64 without its quantisation (int8-qdq)
  std::optional<Outputs> witness;     // another runtime without optimisations
  std::string precision = "fp32";     // the model's own class, in which the witness ran
  std::string no_golden, no_witness;  // why not
  bool fixed_input = false;           // every set is the same, by the user's choice
  bool drawn = false;                 // some input is random
  std::map<std::string, std::string> unchecked;  // outputs that cannot be judged, and why
  std::map<std::string, ChosenFrom> chosen;      // outputs of indices that are judged by values
  std::string ill_conditioned;  // where fp32 loses the outputs, "" when nobody looked
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
  std::vector<std::string> notes;  // of one that passed: what it deviates by, what was left out
};

struct Verdict {
  std::vector<Judgement> arms;
  std::string lowering_suspect;  // what speaks against the lowering, "" for nothing
};

/// tolerance  --tolerance: replaces that of every class
Verdict Judge(const References& references, std::span<const ArmOutputs> arms,
              std::optional<double> tolerance);

/// Whether fp32 itself leaves some output undecided.
bool IllConditioned(const References& references);

/// How far off an output may be, relative to NormsOf().scale().
struct Bounds {
  double pass = 0;
  double deviate = 0;  // from here on it fails; never below `pass`
};

/// reach  what fp32 does to the output at its worst, nothing where that is not known
/// norms  of the reference
Bounds BoundsOfFp32(std::optional<double> reach, const Norms& norms);

/// The relative L2 error with which an output of a reduced class passes. Nothing for int2, which is
/// never judged.
///
/// plain  error of the plain run: how far the class itself is off, nothing where there is none
std::optional<double> ToleranceOf(const std::string& precision, std::optional<double> plain);

}  // namespace assay::campaign
