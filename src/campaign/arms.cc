#include "campaign/arms.h"

#include <fmt/format.h>

#include <algorithm>
#include <system_error>

#include "base/text.h"
#include "campaign/outcome.h"
#include "campaign/predicted.h"
#include "campaign/preparation.h"
#include "campaign/rounds.h"
#include "model/precision.h"

namespace assay::campaign {
namespace {

constexpr std::uint64_t kRuntimeBytes = 512u << 20;  // of a runtime without its model
constexpr std::uint64_t kWeightCopies = 3;           // a runtime may hold while loading
constexpr double kSecondsPerArm = 60;                // timing budget unless --max-seconds
constexpr const char* kControlSuffix = " (control)";

}  // namespace

Arms::Arms(const Setting& setting, std::vector<conversion::Choice> choices,
           ProcessWorkshop& workshop, Progress& progress)
    : setting_(setting), choices_(std::move(choices)), workshop_(workshop), progress_(progress) {
  for (conversion::Choice& choice : choices_) {
    choice.conversion.recipe = setting.InOwnPrecision(choice.conversion.recipe);
  }
}

void Arms::Add(const conversion::Choice& choice, bool control) {
  const std::size_t arm = plan_.arms.size();
  const auto described = setting_.engines.find(choice.route.engine);
  const bool here = described != setting_.engines.end() && described->second.ok();
  const conversion::Recipe& recipe = choice.conversion.recipe;
  ArmFacts facts;
  facts.label = choice.label + (control ? kControlSuffix : "");
  facts.told = recipe.precision;
  facts.precision = conversion::ClassOf(recipe);
  if (facts.precision == "fp32" && setting_.model.precision == model::kQuantised) {
    facts.precision = model::kQuantised;
  }
  facts.as_is = recipe.as_is;
  facts.device = ToLower(choice.conversion.device);
  facts.engine = choice.route.engine;
  facts.engine_version = here ? described->second->version : "";
  facts.control = control;
  facts.warning = conversion::LegalityOf(choice, setting_.around.host).warning;
  ArmPlan planned;
  planned.label = facts.label;
  planned.worker = setting_.SpecOf(choice.route.engine);
  planned.job = setting_.JobOf(choice.conversion.name, recipe);
  findings_.arms.push_back(facts);
  plan_.arms.push_back(std::move(planned));
  findings_.seen.arms.emplace_back();
  if (const Status able = setting_.Able(choice); !able.ok()) {
    End(arm, "", able.error());
  } else if (!facts.warning.empty()) {
    progress_.Say(fmt::format("{}: {}", facts.label, facts.warning));
  }
}

void Arms::Plan() {
  for (const conversion::Choice& choice : choices_) {
    Add(choice, /*control=*/false);
  }
  const auto find = [this](auto matches) {
    return static_cast<std::size_t>(std::find_if(choices_.begin(), choices_.end(), matches) -
                                    choices_.begin());
  };
  std::size_t baseline = find([](const auto& choice) { return choice.label == "EAGER"; });
  if (baseline == choices_.size()) {
    baseline = find([](const auto& choice) { return choice.conversion.name == "EAGER"; });
  }
  plan_.baseline = findings_.baseline = baseline == choices_.size() ? 0 : baseline;
  if (setting_.options.control) {
    choices_.push_back(choices_[plan_.baseline]);
    Add(choices_.back(), /*control=*/true);
  }
}

bool Arms::AnyLeft() const {
  return std::any_of(findings_.seen.arms.begin(), findings_.seen.arms.end(),
                     [](const ArmLog& log) { return !log.end; });
}

void Arms::End(std::size_t arm, const char* stage, const Error& error) {
  if (error.code == Code::kInterrupted) {
    return;
  }
  findings_.seen.arms[arm].end = {.outcome = OutcomeOf(error.code),
                                  .reason = error.message,
                                  .hint = error.hint,
                                  .stage = stage};
  progress_.Say(fmt::format("{}: {} ({})", plan_.arms[arm].label,
                            record::Name(findings_.seen.arms[arm].end->outcome), error.message));
}

void Arms::Prepare() {
  for (std::size_t arm = 0; arm < choices_.size() && workshop_.signal() == 0; ++arm) {
    if (!choices_[arm].route.preparer.empty() && !findings_.seen.arms[arm].end) {
      PrepareOne(arm);
    }
  }
}

void Arms::PrepareOne(std::size_t arm) {
  const conversion::Choice& choice = choices_[arm];
  const std::string& preparer = choice.route.preparer;
  if (const Status able = setting_.Able(preparer); !able.ok()) {
    return End(arm, "prepare", able.error());
  }
  progress_.Update({.name = "prepare",
                    .arm = plan_.arms[arm].label,
                    .arms_total = static_cast<int>(plan_.arms.size())});
  Result<Artifact> artifact = PrepareArtifact(
      setting_.PreparationOf(choice), setting_.around.home / "artifacts", workshop_, progress_);
  if (!artifact.ok()) {
    return End(arm, "prepare", artifact.error());
  }
  plan_.arms[arm].job.artifact = artifact->folder;
  findings_.arms[arm].artifact = *std::move(artifact);
}

std::vector<conversion::Recipe> Arms::Plains() const {
  std::vector<conversion::Recipe> plains;
  for (std::size_t arm = 0; arm < choices_.size(); ++arm) {
    const auto plain = conversion::PlainOf(choices_[arm].conversion.recipe);
    if (plain && !findings_.seen.arms[arm].end &&
        std::find(plains.begin(), plains.end(), *plain) == plains.end()) {
      plains.push_back(*plain);
    }
  }
  return plains;
}

void Arms::Measure(std::uint64_t reference_peak_bytes) {
  plan_.samples = std::max(setting_.options.samples, setting_.options.baseline_runs);
  plan_.processes = std::max(1, setting_.options.processes);
  if (setting_.options.precision_target) {
    plan_.precision_target = *setting_.options.precision_target;
    plan_.goal = Goal::kEverywhere;
  }
  plan_.budget_s = setting_.options.max_seconds.value_or(kSecondsPerArm *
                                                         static_cast<double>(plan_.arms.size()));
  plan_.seed = setting_.options.seed;
  plan_.timeouts = setting_.timeouts;
  plan_.outputs = workshop_.temporary() / "outputs";
  std::error_code ignored;  // writing outputs there would say it
  std::filesystem::create_directories(plan_.outputs, ignored);
  for (ArmPlan& arm : plan_.arms) {
    arm.expected_bytes = reference_peak_bytes > 0 ? reference_peak_bytes
                                                  : kRuntimeBytes + kWeightCopies * sizeof(float) *
                                                                        setting_.model.parameters;
  }
  if (workshop_.signal() == 0) {
    MeasureInRounds(plan_, workshop_, progress_, findings_.seen);
  }
}

void Arms::Judge(const References& references) {
  progress_.Update({.name = "verdict"});
  std::vector<std::optional<Outputs>> outputs(plan_.arms.size());
  std::vector<ArmOutputs> arms(plan_.arms.size());
  for (std::size_t arm = 0; arm < plan_.arms.size(); ++arm) {
    const std::filesystem::path& path = findings_.seen.arms[arm].outputs;
    const ArmFacts& facts = findings_.arms[arm];
    if (!path.empty()) {
      Result<Outputs> read = ReadOutputs(path);
      if (read.ok()) {
        outputs[arm] = *std::move(read);
      } else {
        End(arm, "outputs", read.error());
      }
    }
    const auto plain = conversion::PlainOf(choices_[arm].conversion.recipe);
    arms[arm] = {.outputs = outputs[arm] ? &*outputs[arm] : nullptr,
                 .precision = facts.precision,
                 .plain = plain ? conversion::PlainName(*plain) : "",
                 .lowered = setting_.RunsProgram(facts.engine),
                 .witness_runtime = facts.engine == setting_.around.roles.witness};
  }
  Verdict verdict = campaign::Judge(references, arms, setting_.options.tolerance);
  findings_.judgements = std::move(verdict.arms);
  findings_.lowering_suspect = std::move(verdict.lowering_suspect);
}

void Arms::Predict(record::Run& run) const {
  const auto& profile = setting_.around.profile;
  for (std::size_t arm = 0; profile && arm < run.arms.size(); ++arm) {
    const std::optional<record::Latency>& latency = run.arms[arm].latency_ms;
    if (latency && findings_.arms[arm].device == "cpu") {
      run.arms[arm].predicted = PredictedOf(setting_.model.graph, choices_[arm].conversion.recipe,
                                            *profile, setting_.threads, latency->median);
    }
  }
}

}  // namespace assay::campaign
