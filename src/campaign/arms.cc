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

Arms::Arms(const Settings& settings, const std::vector<conversion::Choice>& choices,
           ProcessWorkshop& workshop, Progress& progress)
    : settings_(settings), setting_(settings.first()), workshop_(workshop), progress_(progress) {
  for (const conversion::Choice& choice : choices) {
    for (std::size_t model = 0; model < settings.all.size(); ++model) {
      for (const Setting& setting : settings.all[model]) {
        cases_.push_back({.choice = choice, .setting = &setting, .model = model});
        conversion::Recipe& recipe = cases_.back().choice.conversion.recipe;
        recipe = setting.ForArm(recipe);
      }
    }
  }
}

std::string Arms::LabelOf(const Case& it, bool control) const {
  std::vector<std::string> own;
  if (settings_.all.front().size() > 1) {
    const int threads = it.setting->threads;
    own.push_back(fmt::format("{} thread{}", threads, threads == 1 ? "" : "s"));
  }
  if (settings_.all.size() > 1) {
    own.push_back(fmt::format("batch {}", it.setting->batch_size()));
  }
  if (control) {
    own.emplace_back("control");
  }
  return own.empty() ? it.choice.label : fmt::format("{} ({})", it.choice.label, Join(own, ", "));
}

void Arms::Add(const Case& it, bool control) {
  const std::size_t arm = plan_.arms.size();
  const conversion::Choice& choice = it.choice;
  const Setting& setting = *it.setting;
  const auto described = setting.engines.find(choice.route.engine);
  const bool here = described != setting.engines.end() && described->second.ok();
  const conversion::Recipe& recipe = choice.conversion.recipe;
  ArmFacts facts;
  facts.conversion = choice.label + (control ? kControlSuffix : "");
  facts.label = LabelOf(it, control);
  facts.threads = setting.threads;
  facts.batch_size = setting.batch_size();
  facts.told = recipe.precision;
  facts.precision = conversion::ClassOf(recipe);
  if (facts.precision == "fp32" && setting.model.precision == model::kQuantised) {
    facts.precision = model::kQuantised;
  }
  facts.as_is = recipe.as_is;
  facts.device = ToLower(choice.conversion.device);
  facts.engine = choice.route.engine;
  facts.engine_version = here ? described->second->version : "";
  facts.control = control;
  facts.metric = recipe.streams == "throughput" ? record::kThroughput : record::kLatency;
  facts.calibration = setting.CalibrationOf(recipe);
  const conversion::Legality legality = conversion::LegalityOf(choice, setting.around.host);
  facts.warning = legality.warning;
  ArmPlan planned;
  planned.label = facts.label;
  planned.brief = legality.slow;
  planned.for_throughput = facts.metric == record::kThroughput;
  planned.worker = setting.SpecOf(choice.route.engine);
  planned.job = setting.JobOf(choice.conversion.name, recipe);
  planned.stays = control;
  planned.contest = static_cast<int>(it.model);
  planned.inputs = static_cast<double>(std::max<std::int64_t>(1, facts.batch_size));
  findings_.arms.push_back(facts);
  plan_.arms.push_back(std::move(planned));
  findings_.seen.arms.emplace_back();
  if (const Status able = setting.Able(choice); !able.ok()) {
    End(arm, "", able.error());
  } else if (!facts.warning.empty()) {
    progress_.Say(fmt::format("{}: {}{}", facts.label, facts.warning,
                              legality.slow ? "; a few rounds of it are measured" : ""));
  }
}

/// EAGER, as it would run if nothing were said: with the most threads.
std::size_t Arms::PreferredBaseline() const {
  const auto find = [this](auto matches) {
    std::size_t found = cases_.size();
    for (std::size_t arm = 0; arm < cases_.size(); ++arm) {
      const bool better =
          found == cases_.size() || (cases_[arm].choice.label == cases_[found].choice.label &&
                                     cases_[arm].model == cases_[found].model &&
                                     cases_[arm].setting->threads > cases_[found].setting->threads);
      found = matches(cases_[arm].choice) && better ? arm : found;
    }
    return found;
  };
  for (const std::size_t found : {find([](const auto& c) { return c.label == "EAGER"; }),
                                  find([](const auto& c) { return c.conversion.name == "EAGER"; }),
                                  find([](const auto&) { return true; })}) {
    if (found < cases_.size()) {
      return found;
    }
  }
  return 0;
}

void Arms::Plan() {
  for (const Case& it : cases_) {
    Add(it, /*control=*/false);
  }
  plan_.baseline = findings_.baseline = PreferredBaseline();
  if (setting_.options.control) {
    cases_.push_back(cases_[plan_.baseline]);
    Add(cases_.back(), /*control=*/true);
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
  return had_one && !cases_[arm].choice.route.preparer.empty();
}

Estimate Arms::Outlooks() const {
  std::vector<Outlook> outlooks;
  for (const std::vector<Setting>& of_model : settings_.all) {
    for (const Setting& setting : of_model) {
      std::vector<conversion::Choice> left;
      for (std::size_t arm = 0; arm < cases_.size(); ++arm) {
        if (IsLeft(arm) && cases_[arm].setting == &setting) {
          left.push_back(cases_[arm].choice);
        }
      }
      const std::vector<Outlook> more = OutlooksOf(setting, left);
      outlooks.insert(outlooks.end(), more.begin(), more.end());
    }
  }
  Estimate estimate = EstimateOf(outlooks, setting_.options, setting_.around.physical_cores);
  estimate.unable = static_cast<int>(cases_.size() - outlooks.size());
  return estimate;
}

campaign::Identity Arms::Identity() const {
  campaign::Identity identity{.model = setting_.model.name, .arms = {}, .details = {}};
  Json& details = identity.details;
  std::vector<std::string> models, inputs, calibrations, threads;
  for (const std::vector<Setting>& of_model : settings_.all) {
    models.push_back(of_model.front().model.sha256);
    inputs.push_back(of_model.front().inputs.sha256);
    calibrations.push_back(of_model.front().calibration.sha256);
  }
  for (const Setting& setting : settings_.all.front()) {
    threads.push_back(std::to_string(setting.threads));
  }
  details["the model"] = Join(models, " ");
  details["the inputs"] = Join(inputs, " ");
  details["the calibration"] =
      fmt::format("{} {}", Join(calibrations, " "), setting_.options.calibration_method);
  details["the processor"] = setting_.around.machine.cpu;
  details["its CPUs"] = setting_.around.machine.cpus_allowed;
  details["--threads"] = Join(threads, ",");
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
  for (std::size_t arm = 0; arm < cases_.size(); ++arm) {
    if (!IsToPrepare(arm)) {
      continue;
    }
    const Case& it = cases_[arm];
    if (const Status able = it.setting->Able(it.choice.route.preparer); !able.ok()) {
      End(arm, "prepare", able.error());
      continue;
    }
    specs.push_back(it.setting->PreparationOf(it.choice));
    specs.back().label = plan_.arms[arm].label;
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
  for (std::size_t arm = 0; arm < cases_.size(); ++arm) {
    const auto plain = conversion::PlainOf(cases_[arm].choice.conversion.recipe);
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

void Arms::PlanRounds(const std::vector<ComputedReferences>& computed) {
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
  for (std::size_t arm = 0; arm < plan_.arms.size(); ++arm) {
    plan_.arms[arm].expected_bytes = ExpectedBytes(computed[cases_[arm].model].peak_rss_bytes);
  }
}

void Arms::Measure(const std::vector<ComputedReferences>& computed) {
  PlanRounds(computed);
  plan_.may_lead = [&](std::size_t arm) {
    return MayLead(arm, computed[cases_[arm].model].references);
  };
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
  const auto plain = conversion::PlainOf(cases_[arm].choice.conversion.recipe);
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

void Arms::Judge(const std::vector<ComputedReferences>& computed) {
  progress_.Update({.name = "verdict"});
  std::vector<std::optional<Outputs>> outputs(plan_.arms.size());
  findings_.judgements.resize(plan_.arms.size());
  for (std::size_t model = 0; model < computed.size(); ++model) {
    std::vector<std::size_t> whose;
    std::vector<ArmOutputs> arms;
    for (std::size_t arm = 0; arm < plan_.arms.size(); ++arm) {
      if (cases_[arm].model != model) {
        continue;
      }
      if (!findings_.seen.arms[arm].outputs.empty()) {
        Result<Outputs> read = OutputsOf(arm);
        if (read.ok()) {
          outputs[arm] = *std::move(read);
        } else {
          End(arm, "outputs", read.error());
        }
      }
      whose.push_back(arm);
      arms.push_back(ForJudgement(arm, outputs[arm]));
    }
    Verdict verdict = campaign::Judge(computed[model].references, arms, setting_.options.tolerance);
    for (std::size_t i = 0; i < whose.size(); ++i) {
      findings_.judgements[whose[i]] = std::move(verdict.arms[i]);
    }
    if (findings_.lowering_suspect.empty()) {
      findings_.lowering_suspect = std::move(verdict.lowering_suspect);
    }
  }
}

void Arms::Predict(record::Run& run) const {
  if (!setting_.around.profile) {
    return;
  }
  std::map<const Setting*, Predictor> predictors;
  for (std::size_t arm = 0; arm < run.arms.size(); ++arm) {
    const std::optional<record::Latency>& latency = run.arms[arm].latency_ms;
    // What is predicted is an inference that has the processor to itself.
    const bool alone = findings_.arms[arm].metric == record::kLatency;
    if (latency && alone && findings_.arms[arm].device == "cpu") {
      const Case& it = cases_[arm];
      Predictor& predictor = predictors
                                 .try_emplace(it.setting, it.setting->model.graph,
                                              *setting_.around.profile, it.setting->threads)
                                 .first->second;
      run.arms[arm].predicted = predictor.Of(it.choice.conversion.recipe, latency->median);
    }
  }
}

}  // namespace assay::campaign
