#include "campaign/verdict.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "campaign/finite.h"
#include "model/precision.h"

namespace assay::campaign {
namespace {

// Source of all of these: docs/measuring.md, "Output verdict".
constexpr double kUnitInLastPlace = 0x1p-23;  // of fp32, relative
constexpr double kReachFactor = 10;
constexpr double kLastPlaces = 8;  // of the whole output, that are always allowed
constexpr double kDeviateFactor = 10;
constexpr double kMostDeviation = 1e-3;
constexpr double kWithoutReach = 1e-4;  // healthy runtimes sit at 1e-6, real bugs at 1e-3 and above
constexpr double kVariationOverReach = 100;
constexpr const char* kFastPath = "module-fp32";
constexpr const char* kWitnessName = "onnxruntime-";  // and its precision
constexpr double kPlainFactor = 3;
constexpr double kCast = 2e-2;  // bf16, fp16
constexpr double kInt8 = 1e-1;
constexpr double kFewBits = 0.5;  // int4, fp8
constexpr double kMostPlainError = 0.5;
// An output that knows nothing of its input, such as its mean, is off by 1 or more: never a pass.
constexpr double kMostTolerance = 0.9;

double Scaled(double floor, std::optional<double> plain) {
  return std::max(floor, std::min(kMostTolerance, kPlainFactor * plain.value_or(0)));
}

/// One output of an arm, held against a reference.
struct Held {
  std::string name;
  Difference difference;
  Bounds bounds;
  std::string blind;       // why an error could not have shown, "" when it could
  bool by_values = false;  // indices other than the reference's, judged by what stands there

  double excess() const { return difference.relative_l2 / std::max(bounds.pass, 1e-300); }
};

class Court {
 public:
  Court(const References& references, std::optional<double> tolerance)
      : references_(references),
        given_(tolerance),
        sets_(references.fixed_input ? Sets() : WellConditioned(references.rounding)) {
    plain_ = ErrorOf(references.plain ? &*references.plain : nullptr);
    for (const auto& [name, outputs] : references.plains) {
      plains_[name] = ErrorOf(&outputs);
    }
    if (references.golden && references.witness) {
      const ArmOutputs witness{.outputs = &*references.witness, .precision = references.precision};
      const std::vector<Held> held = Hold(*references.golden, witness);
      disagree_ = std::ranges::any_of(held, Fails);
      for (const Held& one : held) {
        disagreement_ = std::max(disagreement_, one.difference.relative_l2);
      }
    }
  }

  bool Undecided() const {
    return references_.golden && std::ranges::any_of(*references_.golden, [&](const auto& output) {
             const Norms norms = NormsOf(output.second, references_.fixed_input, sets_);
             const std::optional<double> reach = ReachOf(output.first, norms.scale());
             return !references_.unchecked.contains(output.first) && reach && IsTooFar(*reach);
           });
  }

  Verdict All(std::span<const ArmOutputs> arms) {
    Verdict verdict;
    const bool lowered = references_.golden_name == kLoweredGolden;
    suspect_ = lowered && disagree_ && std::ranges::any_of(arms, [this](const ArmOutputs& arm) {
                 return !arm.lowered && !arm.witness_runtime && SidesWithWitness(arm);
               });
    if (suspect_) {
      verdict.lowering_suspect = fmt::format(
          "the lowering to PyTorch is suspect: golden and witness differ by {:.1e}, more than fp32 "
          "explains, and another engine sides with the witness",
          disagreement_);
    }
    for (const ArmOutputs& arm : arms) {
      verdict.arms.push_back(One(arm));
    }
    return verdict;
  }

 private:
  static bool Fails(const Held& held) {
    return !held.difference.problem.empty() ||
           (held.blind.empty() && held.difference.relative_l2 > held.bounds.deviate);
  }

  /// The worst relative error of a reference against golden, if both are there and comparable.
  std::optional<double> ErrorOf(const Outputs* reference) const {
    if (!references_.golden || reference == nullptr) {
      return std::nullopt;
    }
    const Difference apart =
        Worst(CompareEach(*references_.golden, *reference, references_.fixed_input, sets_));
    return apart.problem.empty() ? std::optional(apart.relative_l2) : std::nullopt;
  }

  /// What the class of the arm costs by itself.
  std::optional<double> PlainOf(const ArmOutputs& arm) const {
    const auto found = plains_.find(arm.plain);
    return arm.plain.empty() ? plain_ : found == plains_.end() ? std::nullopt : found->second;
  }

  std::optional<double> ReachOf(const std::string& output, double scale) const {
    const auto found = references_.rounding.find(output);
    if (!references_.golden || found == references_.rounding.end()) {
      return std::nullopt;
    }
    return ReachOver(found->second, sets_) / scale;
  }

  Bounds BoundsOf(const ArmOutputs& arm, std::optional<double> reach, const Norms& norms) const {
    if (given_) {
      return {.pass = *given_, .deviate = *given_};
    }
    if (arm.precision == "fp32" || arm.precision == "fp64") {
      return BoundsOfFp32(reach, norms);
    }
    const double tolerance = ToleranceOf(arm.precision, PlainOf(arm)).value_or(0);
    return {.pass = tolerance, .deviate = tolerance};
  }

  static bool IsTooFar(double reach) { return reach * kVariationOverReach > 1; }

  /// Why the reference could not expose an error; "" when it could.
  std::string Blind(const ArmOutputs& arm, std::optional<double> reach) const {
    if (const auto plain = PlainOf(arm); plain && *plain > kMostPlainError) {
      return fmt::format(
          "{} alone moves the outputs by {:.1e}: this model with these weights decides nothing",
          arm.plain.empty() ? references_.precision : arm.precision, *plain);
    }
    if (reach && IsTooFar(*reach)) {
      return fmt::format(
          "the model is ill-conditioned in fp32, whose rounding alone moves the outputs by {:.1e} "
          "of what varies with the input{}: too much to expose an error",
          *reach,
          references_.ill_conditioned.empty() ? ""
                                              : ", from " + references_.ill_conditioned + " on");
    }
    return "";
  }

  /// Each output that can be judged.
  std::vector<Held> Hold(const Outputs& reference, const ArmOutputs& arm) const {
    std::vector<Held> held;
    for (auto& [name, difference] :
         CompareEach(reference, *arm.outputs, references_.fixed_input, sets_)) {
      if (references_.unchecked.contains(name)) {
        continue;
      }
      const auto chosen = references_.chosen.find(name);
      if (difference.problem.empty() && chosen != references_.chosen.end() &&
          difference.max_abs > 0) {
        held.push_back(
            HoldByValues(name, chosen->second, reference.at(name), arm.outputs->at(name), arm));
        continue;
      }
      const Norms norms = NormsOf(reference.at(name), references_.fixed_input, sets_);
      const std::optional<double> reach = ReachOf(name, norms.scale());
      held.push_back({.name = name,
                      .difference = difference,
                      .bounds = BoundsOf(arm, reach, norms),
                      .blind = Blind(arm, reach),
                      .by_values = false});
    }
    return held;
  }

  /// Indices that are others than the reference's: what stands there is compared.
  Held HoldByValues(const std::string& name, const ChosenFrom& from, const OutputSets& reference,
                    const OutputSets& output, const ArmOutputs& arm) const {
    Held held{.name = name, .difference = {}, .bounds = {}, .blind = "", .by_values = true};
    const auto right = Select(from.values, reference, from.axis);
    const auto theirs = Select(from.values, output, from.axis);
    if (!right || !theirs) {
      held.difference.problem = fmt::format("output '{}' holds indices of nothing", name);
      return held;
    }
    held.difference =
        CompareEach({{name, *right}}, {{name, *theirs}}, references_.fixed_input, sets_)[name];
    // One rounding of all that they were chosen from can move each of the two choices.
    const Norms norms = NormsOf(*right, references_.fixed_input, sets_);
    const double reach = 2 * ReachOver(from.rounding, sets_) / norms.scale();
    held.bounds = BoundsOf(arm, reach, norms);
    return held;
  }

  bool Passes(const Outputs& reference, const ArmOutputs& arm) const {
    return std::ranges::none_of(Hold(reference, arm), Fails);
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

  Judgement One(const ArmOutputs& arm) const {
    const bool golden = references_.golden && !(suspect_ && !arm.lowered);
    const std::optional<Outputs>& reference = golden ? references_.golden : references_.witness;
    if (arm.outputs == nullptr || !reference) {
      return Unchecked(
          arm.outputs == nullptr
              ? "no outputs to check"
              : fmt::format("no reference: {}; {}", references_.no_golden, references_.no_witness));
    }
    if (!given_ && arm.precision == "int2") {
      return Unchecked(fmt::format("{} is never judged", arm.precision));
    }
    const std::vector<Held> held = Hold(*reference, arm);
    if (golden && references_.eager_differs && std::ranges::any_of(held, Fails) &&
        Passes(*references_.eager, arm)) {
      return LikeFastPath(arm);
    }
    if (held.empty()) {
      return Unchecked(references_.unchecked.empty() ? "it has no outputs"
                                                     : references_.unchecked.begin()->second);
    }
    Judgement judgement = Decide(held, arm, *reference);
    for (const auto& [name, why] : references_.unchecked) {
      judgement.notes.push_back(fmt::format("output '{}' unchecked: {}", name, why));
    }
    if (judgement.output.verdict == "pass") {
      if (std::string left_out = LeftOut(*reference); !left_out.empty()) {
        judgement.notes.push_back(std::move(left_out));
      }
    }
    judgement.output.reference =
        golden ? references_.golden_name : kWitnessName + references_.precision;
    return judgement;
  }

  /// Of an arm that agrees with the module as eager PyTorch runs it, not with its own code.
  Judgement LikeFastPath(const ArmOutputs& arm) const {
    Judgement judgement = Decide(Hold(*references_.eager, arm), arm, *references_.eager);
    judgement.notes.push_back(
        "computed as by PyTorch's fast path for attention, which drops what a padding mask hides: "
        "other values than the module's own code gives, either are right");
    judgement.output.reference = kFastPath;
    return judgement;
  }

  Judgement Decide(const std::vector<Held>& held, const ArmOutputs& arm,
                   const Outputs& reference) const {
    const Held& worst = *std::ranges::max_element(held, [](const Held& a, const Held& b) {
      return std::pair(Fails(a), a.excess()) < std::pair(Fails(b), b.excess());
    });
    const auto blind =
        std::ranges::find_if(held, [](const Held& one) { return !one.blind.empty(); });
    Judgement judgement{.output = Describe(held, worst),
                        .outcome = record::Outcome::kMeasured,
                        .reason = "",
                        .notes = {}};
    const auto set = [&](const char* word, record::Outcome outcome, std::string reason) {
      judgement.output.verdict = word;
      judgement.outcome = outcome;
      judgement.reason = std::move(reason);
    };
    const std::string undefined = Undefined(reference, *arm.outputs, references_.drawn);
    if (!undefined.empty() && !suspect_) {
      set("mistrusted", record::Outcome::kMistrusted, undefined);
    } else if (!worst.difference.problem.empty() && OthersOverflow(arm)) {
      set("mistrusted", record::Outcome::kMistrusted,
          worst.difference.problem +
              ", and so it does in another runtime: give --input in its range");
    } else if (!worst.difference.problem.empty()) {
      set("fail", record::Outcome::kWrongOutput, worst.difference.problem);
    } else if (suspect_ && arm.lowered) {
      set("mistrusted", record::Outcome::kMistrusted, "the lowering to PyTorch is suspect");
    } else if (!references_.fixed_input && !Varies(reference)) {
      set("mistrusted", record::Outcome::kMistrusted,
          "the outputs do not vary with the input, so that an error could not show");
    } else if (Fails(worst) && disagree_ && references_.golden_name == kLoweredGolden &&
               SidesWithWitness(arm)) {
      set("mistrusted", record::Outcome::kMistrusted,
          "golden and witness disagree, and it sides with the witness");
    } else if (Fails(worst)) {
      set("fail", record::Outcome::kWrongOutput, Accuse(held, worst));
    } else if (blind != held.end()) {
      set("mistrusted", record::Outcome::kMistrusted, blind->blind);
    } else {
      set("pass", record::Outcome::kMeasured, "");
      AddDeviation(held, worst, judgement);
      for (const Held& one : held) {
        if (one.by_values) {
          judgement.notes.push_back(fmt::format(
              "output '{}' names other places than the reference, where equal values stand: "
              "compared by values",
              one.name));
        }
      }
    }
    return judgement;
  }

  /// "its output is off by 2.1e-02, 1.0e-05 is allowed", and which where it has several.
  static std::string Accuse(const std::vector<Held>& held, const Held& worst) {
    const auto failing = std::ranges::count_if(held, Fails);
    const std::string which =
        held.size() == 1 ? "its output" : fmt::format("its output '{}'", worst.name);
    const std::string others =
        held.size() == 1 ? "" : fmt::format(" ({} of {} outputs are wrong)", failing, held.size());
    return fmt::format("{} is off by {:.1e}, {:.1e} is allowed{}", which,
                       worst.difference.relative_l2, worst.bounds.pass, others);
  }

  static void AddDeviation(const std::vector<Held>& held, const Held& worst, Judgement& judgement) {
    judgement.output.deviates = worst.excess() > 1;
    if (judgement.output.deviates) {
      judgement.notes.push_back(fmt::format(
          "output{} deviates: off by {:.1e} where {:.1e} was expected of fp32; the least tolerance "
          "that passes is {:.1e}: compare it with what the model's use can bear",
          held.size() == 1 ? "" : fmt::format(" '{}'", worst.name), worst.difference.relative_l2,
          worst.bounds.pass, worst.difference.relative_l2));
    }
  }

  static Judgement Unchecked(const std::string& reason) {
    Judgement judgement;
    judgement.output.verdict = "unchecked";
    judgement.reason = reason;
    return judgement;
  }

  static record::Output Describe(const std::vector<Held>& held, const Held& worst) {
    std::map<std::string, Difference> differences;
    for (const Held& one : held) {
      differences[one.name] = one.difference;
    }
    const Difference all = Worst(differences);
    record::Output output;
    output.tolerance = worst.bounds.pass;
    if (held.size() > 1) {
      output.worst_output = worst.name;
    }
    if (all.problem.empty()) {
      output.relative_l2 = output.least_passing_tolerance = worst.difference.relative_l2;
      output.max_abs = all.max_abs;
      output.cosine = all.cosine;
      output.top1_agreement = all.top1_agreement;
    }
    return output;
  }

  const References& references_;
  std::optional<double> given_;
  Sets sets_;                                            // that count
  std::optional<double> plain_;                          // of arms in the model's own class
  std::map<std::string, std::optional<double>> plains_;  // of others, by ArmOutputs::plain
  double disagreement_ = 0;
  bool disagree_ = false, suspect_ = false;
};

}  // namespace

Bounds BoundsOfFp32(std::optional<double> reach, const Norms& norms) {
  const double least = kLastPlaces * kUnitInLastPlace * norms.whole / norms.scale();
  if (!reach) {
    const double pass = std::max(kWithoutReach, least);
    return {.pass = pass, .deviate = pass};
  }
  const double pass = std::max(kReachFactor * *reach, least);
  return {.pass = pass, .deviate = std::max(pass, std::min(kDeviateFactor * pass, kMostDeviation))};
}

std::optional<double> ToleranceOf(const std::string& precision, std::optional<double> plain) {
  if (precision == "bf16" || precision == "fp16") {
    return Scaled(kCast, plain);
  }
  if (precision == "int8" || precision == model::kQuantised) {
    return Scaled(kInt8, plain);
  }
  if (precision == "int4" || precision == "fp8") {
    return Scaled(kFewBits, plain);
  }
  return precision == "int2" ? std::nullopt : std::optional(kWithoutReach);
}

bool IllConditioned(const References& references) {
  return Court(references, std::nullopt).Undecided();
}

Verdict Judge(const References& references, std::span<const ArmOutputs> arms,
              std::optional<double> tolerance) {
  return Court(references, tolerance).All(arms);
}

}  // namespace assay::campaign
