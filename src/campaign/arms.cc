#include "campaign/arms.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <system_error>

#include "base/text.h"
#include "campaign/judges.h"
#include "campaign/node_scan.h"
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
constexpr double kTimesTold = 2;       // a budget that nobody set, over the estimate that was told
constexpr double kLocateSeconds = 60;  // to find where a wrong output begins
constexpr const char* kControlSuffix = " (control)";

}  // namespace

Arms::Arms(const Settings& settings, const std::vector<conversion::Choice>& choices,
           ProcessWorkshop& workshop, Progress& progress)
    : settings_(settings),
      setting_(settings.first()),
      cases_(CasesOf(settings, choices)),
      workshop_(workshop),
      progress_(progress) {}

void Arms::Add(const Case& it, bool control) {
  const std::size_t arm = plan_.arms.size();
  const conversion::Choice& choice = it.choice;
  const Setting& setting = *it.setting;
  const auto described = setting.engines.find(choice.route.engine);
  const bool here = described != setting.engines.end() && described->second.ok();
  const conversion::Recipe& recipe = choice.conversion.recipe;
  ArmFacts facts;
  facts.conversion = choice.label + (control ? kControlSuffix : "");
  facts.label = LabelOf(it, settings_, control);
  facts.threads = setting.threads;
  facts.batch_size = model::BatchOf(setting.model.graph);
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

void Arms::Plan() {
  for (const Case& it : cases_) {
    Add(it, /*control=*/false);
  }
  plan_.baseline = findings_.baseline = PreferredBaseline(cases_);
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
  for (const auto& [name, engine] : setting_.engines) {
    if (engine.ok()) {
      details[fmt::format("the code of the engine {}", name)] = engine->code;
    }
  }
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
  plan_.ahead = options.ahead;
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
  if (options.tells_plan && !options.max_seconds) {
    plan_.budget_s = std::max(plan_.budget_s, kTimesTold * Outlooks().measure_s);
  }
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
  Judges judges(cases_, findings_, computed);
  plan_.may_lead = [&](std::size_t arm) { return judges.MayLead(arm); };
  if (workshop_.signal() == 0) {
    MeasureInRounds(plan_, workshop_, progress_, findings_.seen, course_,
                    [this](const Course& course) { Keep(course); });
  }
}

void Arms::Judge(const std::vector<ComputedReferences>& computed) {
  progress_.Update({.name = "verdict"});
  Judges::Sentence sentence = Judges(cases_, findings_, computed).Judge();
  for (const auto& [arm, error] : sentence.unreadable) {
    End(arm, "outputs", error);
  }
  findings_.judgements = std::move(sentence.judgements);
  LocateFaults();
  findings_.lowering_suspect = std::move(sentence.lowering_suspect);
}

void Arms::LocateFaults() {
  const std::vector<std::string>& readers = setting_.around.roles.onnx;
  std::set<std::string> located;  // engines: their arms mostly fail for the same reason
  for (std::size_t arm = 0; arm < cases_.size() && workshop_.signal() == 0; ++arm) {
    const Case& it = cases_[arm];
    const std::string& engine = it.choice.route.engine;
    Judgement& judgement = findings_.judgements[arm];
    if (judgement.outcome != record::Outcome::kWrongOutput ||
        findings_.arms[arm].precision != "fp32" ||
        std::ranges::find(readers, engine) == readers.end() || it.setting->model.module ||
        !located.insert(engine).second) {
      continue;
    }
    progress_.Update({.name = "verdict", .arm = "where " + it.choice.label + " differs"});
    const auto scan =
        ScanEngine(*it.setting, engine, it.choice.conversion.recipe, kLocateSeconds, workshop_);
    if (scan.ok() && scan->first) {
      judgement.reason += "; the first that differs is " + Describe(*scan);
    } else if (scan.ok() && scan->compared == scan->values) {
      judgement.reason +=
          "; each node alone computes what it should, so that it is what the runtime makes of "
          "several";
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
