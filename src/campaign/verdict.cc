#include "campaign/verdict.h"

#include <fmt/format.h>

#include <algorithm>

#include "campaign/finite.h"
#include "model/precision.h"

namespace assay::campaign {
namespace {

// Source of all of these: docs/measuring.md, "Output verdict".
constexpr double kNoiseFactor = 10;
constexpr double kFloor = 1e-6;
constexpr double kWithoutNoise = 1e-4;  // healthy runtimes sit at 1e-6, real bugs at 1e-3 and above
constexpr double kVariationOverNoise = 100;
constexpr const char* kGoldenName = "aten-fp64";
constexpr const char* kOwnName = "module-fp64";
constexpr const char* kWitnessName = "onnxruntime-";  // and its precision
constexpr double kPlainFactor = 3;
constexpr double kCast = 2e-2;  // bf16, fp16
constexpr double kInt8 = 1e-1;
constexpr double kFewBits = 0.5;  // int4, fp8
constexpr double kMostPlainError = 0.5;
// An output that knows nothing of its input, such as its mean, is off by 1 or more: never a pass.
constexpr double kMostTolerance = 0.9;

double Scaled(double floor, const Noise& noise) {
  return std::max(floor, std::min(kMostTolerance, kPlainFactor * noise.plain.value_or(0)));
}

class Court {
 public:
  Court(const References& references, std::optional<double> tolerance)
      : references_(references), given_(tolerance) {
    noise_.fp32 = ErrorOf(references.eager ? &*references.eager : nullptr);
    noise_.plain = ErrorOf(references.plain ? &*references.plain : nullptr);
    rounding_.fp32 = noise_.fp32;
    for (const auto& [name, outputs] : references.plains) {
      plains_[name] = {.fp32 = noise_.fp32, .plain = ErrorOf(&outputs)};
    }
    if (references.golden && references.witness && !references.own) {
      const Difference apart = Apart(*references.golden, *references.witness);
      disagreement_ = apart.relative_l2;
      disagree_ =
          !apart.problem.empty() || apart.relative_l2 > Tolerance(references.precision, noise_);
    }
  }

  Verdict All(std::span<const ArmOutputs> arms) {
    Verdict verdict;
    suspect_ = disagree_ && std::any_of(arms.begin(), arms.end(), [this](const ArmOutputs& arm) {
                 return !arm.lowered && !arm.witness_runtime && SidesWithWitness(arm);
               });
    if (suspect_) {
      verdict.lowering_suspect = fmt::format(
          "the lowering to PyTorch is suspect: golden and witness differ by {:.1e} and another "
          "engine sides with the witness",
          disagreement_);
    }
    for (const ArmOutputs& arm : arms) {
      verdict.arms.push_back(One(arm));
    }
    return verdict;
  }

 private:
  Difference Apart(const Outputs& reference, const Outputs& outputs) const {
    return Compare(reference, outputs, references_.fixed_input);
  }

  /// Of a reference against golden, if both are there and can be compared.
  std::optional<double> ErrorOf(const Outputs* reference) const {
    if (!references_.golden || reference == nullptr) {
      return std::nullopt;
    }
    const Difference apart = Apart(*references_.golden, *reference);
    return apart.problem.empty() ? std::optional(apart.relative_l2) : std::nullopt;
  }

  /// The scale of an arm's errors.
  const Noise& NoiseOf(const ArmOutputs& arm) const {
    const auto found = plains_.find(arm.plain);
    return arm.plain.empty() ? noise_ : found == plains_.end() ? rounding_ : found->second;
  }

  double Tolerance(const std::string& precision, const Noise& noise) const {
    return given_.value_or(ToleranceOf(precision, noise).value_or(0));
  }
  double Tolerance(const ArmOutputs& arm) const { return Tolerance(arm.precision, NoiseOf(arm)); }

  bool Passes(const Outputs& reference, const ArmOutputs& arm) const {
    const Difference difference = Apart(reference, *arm.outputs);
    return difference.problem.empty() && difference.relative_l2 <= Tolerance(arm);
  }

  /// Whether another run in this precision is no number where the arm is none: fewer bits than
  /// golden's do not reach as far.
  bool OthersOverflow(const ArmOutputs& arm) const {
    const auto plain = references_.plains.find(arm.plain);
    const Outputs* others[] = {
        references_.eager ? &*references_.eager : nullptr,
        references_.plain ? &*references_.plain : nullptr,
        plain == references_.plains.end() ? nullptr : &plain->second,
        references_.witness && !arm.witness_runtime ? &*references_.witness : nullptr};
    const NonFinite here = CountNonFinite(*arm.outputs);
    return here.nan + here.infinite > 0 &&
           std::any_of(std::begin(others), std::end(others), [&](const Outputs* other) {
             return other != nullptr && SharesNonFinite(*arm.outputs, *other);
           });
  }

  bool SidesWithWitness(const ArmOutputs& arm) const {
    return arm.outputs != nullptr && references_.witness && Passes(*references_.witness, arm) &&
           !Passes(*references_.golden, arm);
  }

  /// Why the reference could not expose an error; "" when it could.
  std::string Blind(const Outputs& reference, const ArmOutputs& arm) const {
    const Noise& noise = NoiseOf(arm);
    if (!references_.fixed_input && !Varies(reference)) {
      return "the outputs do not vary with the input, so that an error could not show";
    }
    if (noise.plain && *noise.plain > kMostPlainError) {
      return fmt::format(
          "{} alone moves the outputs by {:.1e}: this model with these weights decides nothing",
          arm.plain.empty() ? references_.precision : arm.precision, *noise.plain);
    }
    if (noise_.fp32 && *noise_.fp32 * kVariationOverNoise > 1) {
      return fmt::format(
          "the outputs vary with the input by only {:.0f} x the fp32 rounding, too little to "
          "expose an error",
          1 / *noise_.fp32);
    }
    return "";
  }

  Judgement One(const ArmOutputs& arm) const {
    const bool golden = references_.golden && !(suspect_ && !arm.lowered);
    const std::optional<Outputs>& reference = golden ? references_.golden : references_.witness;
    if (arm.outputs == nullptr || !reference) {
      return Unchecked(
          arm.outputs == nullptr
              ? "no outputs to check"
              : fmt::format("no reference: {}; {}", references_.no_golden, references_.no_witness));
    }
    if (!given_ && !ToleranceOf(arm.precision, NoiseOf(arm))) {
      return Unchecked(fmt::format("{} is never judged", arm.precision));
    }
    const Difference difference = Apart(*reference, *arm.outputs);
    Judgement judgement{.output = Describe(difference, Tolerance(arm)),
                        .outcome = record::Outcome::kMeasured,
                        .reason = ""};
    const char* golden_name = references_.own ? kOwnName : kGoldenName;
    judgement.output.reference = golden ? golden_name : kWitnessName + references_.precision;
    Decide(judgement, arm, *reference, difference);
    if (judgement.output.verdict == "pass") {
      judgement.note = LeftOut(*reference);
    }
    return judgement;
  }

  void Decide(Judgement& judgement, const ArmOutputs& arm, const Outputs& reference,
              const Difference& difference) const {
    const double tolerance = Tolerance(arm);
    const auto set = [&](const char* word, record::Outcome outcome, std::string reason) {
      judgement.output.verdict = word;
      judgement.outcome = outcome;
      judgement.reason = std::move(reason);
    };
    const std::string blind = Blind(reference, arm);
    const std::string undefined = Undefined(reference, *arm.outputs, references_.drawn);
    if (!undefined.empty() && !suspect_) {
      set("mistrusted", record::Outcome::kMistrusted, undefined);
    } else if (!difference.problem.empty() && OthersOverflow(arm)) {
      set("mistrusted", record::Outcome::kMistrusted,
          difference.problem + ", and so it does in another runtime: give --input in its range");
    } else if (!difference.problem.empty()) {
      set("fail", record::Outcome::kWrongOutput, difference.problem);
    } else if (suspect_ && arm.lowered) {
      set("mistrusted", record::Outcome::kMistrusted, "the lowering to PyTorch is suspect");
    } else if (!blind.empty()) {
      set("mistrusted", record::Outcome::kMistrusted, blind);
    } else if (difference.relative_l2 <= tolerance) {
      set("pass", record::Outcome::kMeasured, "");
    } else if (disagree_ && SidesWithWitness(arm)) {
      set("mistrusted", record::Outcome::kMistrusted,
          "golden and witness disagree, and it sides with the witness");
    } else {
      set("fail", record::Outcome::kWrongOutput,
          fmt::format("its output is off by {:.1e}, {:.1e} is allowed", difference.relative_l2,
                      tolerance));
    }
  }

  static Judgement Unchecked(const std::string& reason) {
    Judgement judgement;
    judgement.output.verdict = "unchecked";
    judgement.reason = reason;
    return judgement;
  }

  static record::Output Describe(const Difference& difference, double tolerance) {
    record::Output output;
    output.tolerance = tolerance;
    if (difference.problem.empty()) {
      output.relative_l2 = output.least_passing_tolerance = difference.relative_l2;
      output.max_abs = difference.max_abs;
      output.cosine = difference.cosine;
      output.top1_agreement = difference.top1_agreement;
    }
    return output;
  }

  const References& references_;
  std::optional<double> given_;
  Noise noise_;                          // of arms in the model's own class
  std::map<std::string, Noise> plains_;  // of arms in another, by ArmOutputs::plain
  Noise rounding_;                       // of those whose plain run is not to be had
  double disagreement_ = 0;
  bool disagree_ = false, suspect_ = false;
};

}  // namespace

std::optional<double> ToleranceOf(const std::string& precision, const Noise& noise) {
  if (precision == "bf16" || precision == "fp16") {
    return Scaled(kCast, noise);
  }
  if (precision == "int8" || precision == model::kQuantised) {
    return Scaled(kInt8, noise);
  }
  if (precision == "int4" || precision == "fp8") {
    return Scaled(kFewBits, noise);
  }
  if (precision == "int2") {
    return std::nullopt;
  }
  return noise.fp32 ? kNoiseFactor * *noise.fp32 + kFloor : kWithoutNoise;
}

Verdict Judge(const References& references, std::span<const ArmOutputs> arms,
              std::optional<double> tolerance) {
  return Court(references, tolerance).All(arms);
}

}  // namespace assay::campaign
