#include "campaign/arms.h"

#include <fmt/format.h>

#include <algorithm>
#include <system_error>

#include "base/text.h"
#include "campaign/outcome.h"
#include "campaign/outlooks.h"
#include "campaign/predicted.h"
#include "campaign/preparation.h"
#include "campaign/preparations.h"
#include "campaign/repeat.h"
#include "campaign/rounds.h"
#include "model/precision.h"

namespace assay::campaign {
namespace {

constexpr std::uint64_t kRuntimeBytes = 512u << 20;  // of a runtime without its model
constexpr std::uint64_t kWeightCopies = 3;           // a runtime may hold while loading
constexpr std::uint64_t kCompilerBytes = 1u << 30;   // that preparing takes besides
constexpr const char* kControlSuffix = " (control)";

}  // namespace

Arms::Arms(const Setting& setting, std::vector<conversion::Choice> choices,
           ProcessWorkshop& workshop, Progress& progress)
    : setting_(setting), choices_(std::move(choices)), workshop_(workshop), progress_(progress) {
  for (conversion::Choice& choice : choices_) {
    choice.conversion.recipe = setting.ForArm(choice.conversion.recipe);
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
  facts.metric = recipe.streams == "throughput" ? record::kThroughput : record::kLatency;
  facts.calibration = setting_.CalibrationOf(recipe);
  const conversion::Legality legality = conversion::LegalityOf(choice, setting_.around.host);
  facts.warning = legality.warning;
  ArmPlan planned;
  planned.label = facts.label;
  planned.brief = legality.slow;
  planned.for_throughput = facts.metric == record::kThroughput;
  planned.worker = setting_.SpecOf(choice.route.engine);
  planned.job = setting_.JobOf(choice.conversion.name, recipe);
  planned.stays = control;
  findings_.arms.push_back(facts);
  plan_.arms.push_back(std::move(planned));
  findings_.seen.arms.emplace_back();
  if (const Status able = setting_.Able(choice); !able.ok()) {
    End(arm, "", able.error());
  } else if (!facts.warning.empty()) {
    progress_.Say(fmt::format("{}: {}{}", facts.label, facts.warning,
                              legality.slow ? "; a few rounds of it are measured" : ""));
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
  const bool in_plan = setting_.options.tells_plan && *stage == '\0';  // which counts them
  if (!in_plan) {
    progress_.Say(fmt::format("{}: {} ({})", plan_.arms[arm].label,
                              record::Name(findings_.seen.arms[arm].end->outcome), error.message));
  }
}

bool Arms::IsToPrepare(std::size_t arm) const {
  // One that ended later has an artifact that the record tells of.
  const std::optional<campaign::End>& end = findings_.seen.arms[arm].end;
  const bool had_one = !end || (!end->stage.empty() && end->stage != "prepare");
  return had_one && !choices_[arm].route.preparer.empty();
}

Estimate Arms::Outlooks() const {
  std::vector<conversion::Choice> left;
  for (std::size_t arm = 0; arm < choices_.size(); ++arm) {
    if (IsLeft(arm)) {
      left.push_back(choices_[arm]);
    }
  }
  Estimate estimate =
      EstimateOf(OutlooksOf(setting_, left), setting_.options, setting_.around.physical_cores);
  estimate.unable = static_cast<int>(choices_.size() - left.size());
  return estimate;
}

campaign::Identity Arms::Identity() const {
  campaign::Identity identity{.model = setting_.model.name, .arms = {}, .details = {}};
  Json& details = identity.details;
  details["the model"] = setting_.model.sha256;
  details["the inputs"] = setting_.inputs.sha256;
  details["the calibration"] =
      fmt::format("{} {}", setting_.calibration.sha256, setting_.options.calibration_method);
  details["the processor"] = setting_.around.machine.cpu;
  details["its CPUs"] = setting_.around.machine.cpus_allowed;
  details["--threads"] = setting_.threads;
  details["the options"] = RepeatOptions(setting_.options);
  details["the engines' options"] = setting_.options.engine_options;
  for (const ArmFacts& facts : findings_.arms) {
    identity.arms.push_back(facts.label);
    details[fmt::format("the engine of {}", facts.label)] =
        fmt::format("{} {}", facts.engine, facts.engine_version);
  }
  return identity;
}

void Arms::GoOn(Journal& journal, double began) {
  journal_ = &journal;
  began_ = began - journal.found().seconds;
  if (!journal.found().continues) {
    if (setting_.options.resume) {
      progress_.Say("there is no interrupted run of these conversions: it begins anew");
    }
    return;
  }
  findings_.seen = journal.found().seen;
  course_ = journal.found().course;
  progress_.Say(fmt::format("goes on with the run that began at {}: {} rounds are done",
                            journal.found().started,
                            course_.generation * course_.share + course_.round));
}

void Arms::Keep(const Course& course) {
  course_ = course;
  if (journal_ == nullptr) {
    return;
  }
  const Status kept = journal_->Keep(findings_.seen, course, workshop_.Now() - began_);
  if (!kept.ok()) {
    progress_.Say(
        fmt::format("{}: this run cannot be continued if it is interrupted", kept.error().message));
  }
}

void Arms::Prepare() {
  std::vector<PreparationSpec> specs;
  std::vector<std::size_t> whose;
  for (std::size_t arm = 0; arm < choices_.size(); ++arm) {
    if (!IsToPrepare(arm)) {
      continue;
    }
    if (const Status able = setting_.Able(choices_[arm].route.preparer); !able.ok()) {
      End(arm, "prepare", able.error());
      continue;
    }
    specs.push_back(setting_.PreparationOf(choices_[arm]));
    whose.push_back(arm);
  }
  const Crew crew{
      .at_once = std::min(setting_.options.prepared_at_once, setting_.around.physical_cores),
      .expected_bytes = kCompilerBytes + ExpectedBytes(0)};
  PrepareAll(specs, crew, setting_.Artifacts(), workshop_, progress_,
             [&](std::size_t i, Result<Artifact> artifact) {
               const std::size_t arm = whose[i];
               if (!artifact.ok()) {
                 End(arm, "prepare", artifact.error());
                 return Keep(course_);
               }
               plan_.arms[arm].job.artifact = artifact->folder;
               findings_.arms[arm].artifact = *std::move(artifact);
             });
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

std::uint64_t Arms::ExpectedBytes(std::uint64_t reference_peak_bytes) const {
  return reference_peak_bytes > 0
             ? reference_peak_bytes
             : kRuntimeBytes + kWeightCopies * sizeof(float) * setting_.model.parameters;
}

void Arms::PlanRounds(std::uint64_t reference_peak_bytes) {
  const Options& options = setting_.options;
  plan_.samples = std::max(options.samples, options.baseline_runs);
  plan_.processes = std::max(1, options.processes);
  plan_.most_rounds = options.most_rounds;
  plan_.heat = options.heat;
  plan_.cut = options.cut;
  if (options.precision_target) {
    plan_.precision_target = *options.precision_target;
    plan_.goal = Goal::kEverywhere;
  }
  const auto unable = std::count_if(findings_.seen.arms.begin(), findings_.seen.arms.end(),
                                    [](const ArmLog& log) { return log.end.has_value(); });
  const double able = static_cast<double>(plan_.arms.size()) - static_cast<double>(unable);
  plan_.budget_s = options.max_seconds.value_or(options.seconds_per_arm * std::max(able, 1.0));
  plan_.seed = options.seed;
  plan_.timeouts = setting_.timeouts;
  const bool kept = journal_ != nullptr && journal_->writes();
  plan_.outputs = kept ? journal_->outputs() : workshop_.temporary() / "outputs";
  std::error_code ignored;  // writing outputs there would say it
  std::filesystem::create_directories(plan_.outputs, ignored);
  for (ArmPlan& arm : plan_.arms) {
    arm.expected_bytes = ExpectedBytes(reference_peak_bytes);
  }
}

void Arms::Measure(const ComputedReferences& computed) {
  PlanRounds(computed.peak_rss_bytes);
  plan_.may_lead = [&](std::size_t arm) { return MayLead(arm, computed.references); };
  if (workshop_.signal() == 0) {
    MeasureInRounds(plan_, workshop_, progress_, findings_.seen, course_,
                    [this](const Course& course) { Keep(course); });
  }
}

Result<Outputs> Arms::OutputsOf(std::size_t arm) const {
  const std::filesystem::path& path = findings_.seen.arms[arm].outputs;
  return path.empty() ? Error{Code::kNotFound, "it wrote no outputs", ""} : ReadOutputs(path);
}

ArmOutputs Arms::ForJudgement(std::size_t arm, const std::optional<Outputs>& outputs) const {
  const ArmFacts& facts = findings_.arms[arm];
  const auto plain = conversion::PlainOf(choices_[arm].conversion.recipe);
  return {.outputs = outputs ? &*outputs : nullptr,
          .precision = facts.precision,
          .plain = plain ? conversion::PlainName(*plain) : "",
          .lowered = setting_.RunsProgram(facts.engine),
          .witness_runtime = facts.engine == setting_.around.roles.witness};
}

bool Arms::MayLead(std::size_t arm, const References& references) {
  if (const auto known = may_lead_.find(arm); known != may_lead_.end()) {
    return known->second;
  }
  const ArmFacts& facts = findings_.arms[arm];
  const bool doubted = !DoubtOf(facts, findings_.seen.arms[arm]).empty();
  const Result<Outputs> read = OutputsOf(arm);
  const std::optional<Outputs> outputs = read.ok() ? std::optional(*read) : std::nullopt;
  const ArmOutputs alone = ForJudgement(arm, outputs);
  const Verdict verdict =
      campaign::Judge(references, std::span(&alone, 1), setting_.options.tolerance);
  const bool right = verdict.arms.front().outcome == record::Outcome::kMeasured &&
                     verdict.arms.front().output.verdict == "pass";
  return may_lead_[arm] = right && !doubted && !facts.control;
}

void Arms::Judge(const References& references) {
  progress_.Update({.name = "verdict"});
  std::vector<std::optional<Outputs>> outputs(plan_.arms.size());
  std::vector<ArmOutputs> arms(plan_.arms.size());
  for (std::size_t arm = 0; arm < plan_.arms.size(); ++arm) {
    if (!findings_.seen.arms[arm].outputs.empty()) {
      Result<Outputs> read = OutputsOf(arm);
      if (read.ok()) {
        outputs[arm] = *std::move(read);
      } else {
        End(arm, "outputs", read.error());
      }
    }
    arms[arm] = ForJudgement(arm, outputs[arm]);
  }
  Verdict verdict = campaign::Judge(references, arms, setting_.options.tolerance);
  findings_.judgements = std::move(verdict.arms);
  findings_.lowering_suspect = std::move(verdict.lowering_suspect);
}

void Arms::Predict(record::Run& run) const {
  if (!setting_.around.profile) {
    return;
  }
  Predictor predictor(setting_.model.graph, *setting_.around.profile, setting_.threads);
  for (std::size_t arm = 0; arm < run.arms.size(); ++arm) {
    const std::optional<record::Latency>& latency = run.arms[arm].latency_ms;
    // What is predicted is an inference that has the processor to itself.
    const bool alone = findings_.arms[arm].metric == record::kLatency;
    if (latency && alone && findings_.arms[arm].device == "cpu") {
      run.arms[arm].predicted = predictor.Of(choices_[arm].conversion.recipe, latency->median);
    }
  }
}

}  // namespace assay::campaign
