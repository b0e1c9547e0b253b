#include "campaign/campaign.h"

#include <fmt/format.h>

#include <algorithm>
#include <ctime>
#include <set>
#include <system_error>

#include "aten/lower.h"
#include "base/file.h"
#include "base/text.h"
#include "campaign/assemble.h"
#include "campaign/engines.h"
#include "campaign/inputs.h"
#include "campaign/outcome.h"
#include "campaign/preparation.h"
#include "campaign/process.h"
#include "campaign/reference.h"
#include "campaign/repeat.h"
#include "campaign/rounds.h"
#include "hardware/environment.h"

namespace assay::campaign {
namespace {

constexpr std::uint64_t kReserveBytes = 1u << 30;    // of free memory, left to everyone else
constexpr std::uint64_t kRuntimeBytes = 512u << 20;  // of a runtime without its model
constexpr std::uint64_t kWeightCopies = 3;           // a runtime may hold while loading
constexpr double kSecondsPerArm = 60;                // timing budget unless --max-seconds
constexpr const char* kControlSuffix = " (control)";

std::string Timestamp() {
  const std::time_t now = std::time(nullptr);
  std::tm utc{};
  ::gmtime_r(&now, &utc);
  char text[32];
  std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &utc);
  return text;
}

Timeouts TimeoutsOf(const Options& options) {
  Timeouts timeouts;
  if (options.stage_timeout_s) {
    timeouts.prepare_s = timeouts.load_s = timeouts.slice_s = *options.stage_timeout_s;
  }
  return timeouts;
}

record::ModelFacts FactsOf(const model::Model& model) {
  record::ModelFacts facts;
  facts.name = model.name;
  facts.source = model.source;
  facts.parameters = model.parameters;
  facts.macs = model.macs;
  facts.weights = model.weights;
  facts.sha256 = model.sha256;
  for (const model::ValueId id : model.graph.inputs) {
    const model::Value& value = model.graph.values[static_cast<std::size_t>(id)];
    facts.inputs.push_back({value.name, value.type});
  }
  if (!facts.inputs.empty() && !facts.inputs.front().type.shape.empty()) {
    facts.batch_size = facts.inputs.front().type.shape.front();
  }
  return facts;
}

/// The stages of one campaign, in the order in which RunCampaign calls them.
class Stages {
 public:
  Stages(const model::Model& model, const std::vector<conversion::Choice>& choices,
         const Options& options, const Surroundings& surroundings, Progress& progress,
         ProcessWorkshop& workshop)
      : model_(model),
        choices_(choices),
        options_(options),
        around_(surroundings),
        progress_(progress),
        workshop_(workshop),
        timeouts_(TimeoutsOf(options)),
        threads_(options.threads > 0 ? options.threads : surroundings.physical_cores) {}

  Status Describe();
  Status DrawInputs();
  Status LowerModel();
  void PlanArms();
  void PrepareArms();
  void ComputeReferences();
  void Measure();
  void JudgeOutputs();
  Campaign Finish();

 private:
  WorkerSpec SpecOf(const std::string& engine) const;
  engine::Job JobOf(const std::string& name, const conversion::Recipe& recipe) const;
  void AddArm(const conversion::Choice& choice, bool control);
  void EndArm(std::size_t arm, const char* stage, const Error& error);
  std::string ArtifactKey(const conversion::Choice& choice) const;
  Result<Outputs> ReferenceOutputs(const std::string& name, const std::string& engine,
                                   const conversion::Recipe& recipe);
  bool Lowered(const std::string& engine) const {
    const auto& lowered = around_.roles.lowered;
    return std::find(lowered.begin(), lowered.end(), engine) != lowered.end();
  }
  void Tell(const char* stage, const std::string& arm) {
    progress_.Update({.name = stage,
                      .arm = arm,
                      .arms_live = 0,
                      .arms_total = static_cast<int>(plan_.arms.size())});
  }

  const model::Model& model_;
  std::vector<conversion::Choice> choices_;
  const Options& options_;
  const Surroundings& around_;
  Progress& progress_;
  ProcessWorkshop& workshop_;
  Timeouts timeouts_;
  int threads_;
  std::uint64_t memory_bytes_ = 0;
  std::uint64_t reference_peak_ = 0;
  Descriptions engines_;
  Inputs inputs_;
  Result<std::string> program_ = Error{};  // the path, or why there is none
  std::string program_sha256_;
  RoundsPlan plan_;
  References references_;
  Findings findings_;
};

Status Stages::Describe() {
  const std::uint64_t free = workshop_.AvailableBytes();
  memory_bytes_ =
      options_.memory_bytes.value_or(free > 2 * kReserveBytes ? free - kReserveBytes : free / 2);
  std::set<std::string> names = {around_.roles.golden, around_.roles.witness};
  for (const conversion::Choice& choice : choices_) {
    names.insert(choice.route.engine);
    if (!choice.route.preparer.empty()) {
      names.insert(choice.route.preparer);
    }
  }
  Tell("engines", "");
  engines_ = DescribeEngines(names, timeouts_.load_s, workshop_);
  const auto here = [this](const conversion::Choice& choice) {
    const auto& described = engines_.at(choice.route.engine);
    return described.ok() || OutcomeOf(described.error().code) != record::Outcome::kUnsupported;
  };
  if (std::none_of(choices_.begin(), choices_.end(), here)) {
    const Error& first = engines_.at(choices_.front().route.engine).error();
    return Error{Code::kUnavailable,
                 "no engine for any of the conversions is here: " + first.message, first.hint};
  }
  return {};
}

Status Stages::DrawInputs() {
  ASSAY_ASSIGN(inputs_, campaign::DrawInputs(model_.graph, options_.seed, around_.home / "inputs"));
  return {};
}

Status Stages::LowerModel() {
  const Result<aten::Program> program = aten::Lower(model_.graph);
  if (!program.ok()) {
    program_ = program.error();
    return {};
  }
  const std::string text = aten::ToJson(*program).dump(1);
  program_sha256_ = Sha256Of(text);
  const std::filesystem::path folder = around_.home / "programs" / program_sha256_.substr(0, 16);
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  const std::filesystem::path path = folder / "program.json";
  if (!std::filesystem::exists(path, error)) {
    ASSAY_TRY(WriteFileAtomically(path, text));
  }
  program_ = path.string();
  return {};
}

WorkerSpec Stages::SpecOf(const std::string& engine) const {
  hardware::Machine machine;
  machine.facts = around_.machine;
  machine.usable_cores = around_.physical_cores;
  machine.cpus = around_.cpus;
  const hardware::ThreadEnvironment environment =
      hardware::EnvironmentForThreads(machine, threads_);
  return {.engine = engine,
          .variables = environment.variables,
          .cpus = environment.cpus,
          .memory_bytes = memory_bytes_};
}

engine::Job Stages::JobOf(const std::string& name, const conversion::Recipe& recipe) const {
  engine::Job job;
  job.conversion = name;
  job.recipe = conversion::ToJson(recipe);
  job.onnx = model_.onnx;
  job.program = program_.ok() ? *program_ : "";
  job.inputs = inputs_.file;
  job.input_sets = kInputSets;
  job.threads = threads_;
  job.options = options_.engine_options;
  return job;
}

void Stages::AddArm(const conversion::Choice& choice, bool control) {
  const std::size_t arm = plan_.arms.size();
  const auto& described = engines_.at(choice.route.engine);
  ArmFacts facts;
  facts.label = choice.label + (control ? kControlSuffix : "");
  facts.precision = choice.conversion.recipe.precision;
  facts.device = ToLower(choice.conversion.device);
  facts.engine = choice.route.engine;
  facts.engine_version = described.ok() ? described->version : "";
  facts.control = control;
  ArmPlan planned;
  planned.label = facts.label;
  planned.worker = SpecOf(choice.route.engine);
  planned.job = JobOf(choice.conversion.name, choice.conversion.recipe);
  findings_.arms.push_back(std::move(facts));
  plan_.arms.push_back(std::move(planned));
  findings_.seen.arms.emplace_back();
  if (!described.ok()) {
    EndArm(arm, "", described.error());
  } else if (Lowered(choice.route.engine) && !program_.ok()) {
    EndArm(arm, "", program_.error());
  }
}

void Stages::PlanArms() {
  for (const conversion::Choice& choice : choices_) {
    AddArm(choice, /*control=*/false);
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
  if (options_.control) {
    choices_.push_back(choices_[plan_.baseline]);
    AddArm(choices_.back(), /*control=*/true);
  }
}

void Stages::EndArm(std::size_t arm, const char* stage, const Error& error) {
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

std::string Stages::ArtifactKey(const conversion::Choice& choice) const {
  std::vector<std::string> parts = {model_.sha256,
                                    program_sha256_,
                                    conversion::ToJson(choice.conversion.recipe).dump(),
                                    std::to_string(threads_),
                                    choice.route.engine,
                                    engines_.at(choice.route.engine)->version,
                                    choice.route.preparer,
                                    engines_.at(choice.route.preparer)->version,
                                    around_.machine.cpu,
                                    Join(around_.machine.isa, " ")};
  return CacheKey(fmt::format("{}-{}", model_.name, choice.conversion.name), parts);
}

void Stages::PrepareArms() {
  for (std::size_t arm = 0; arm < choices_.size(); ++arm) {
    const conversion::Choice& choice = choices_[arm];
    if (choice.route.preparer.empty() || findings_.seen.arms[arm].end || workshop_.signal() != 0) {
      continue;
    }
    const auto& preparer = engines_.at(choice.route.preparer);
    if (!preparer.ok()) {
      EndArm(arm, "prepare", preparer.error());
      continue;
    }
    Tell("prepare", plan_.arms[arm].label);
    const PreparationSpec spec{.key = ArtifactKey(choice),
                               .worker = SpecOf(choice.route.preparer),
                               .job = plan_.arms[arm].job,
                               .timeout_s = timeouts_.prepare_s};
    Result<Artifact> artifact =
        PrepareArtifact(spec, around_.home / "artifacts", workshop_, progress_);
    if (!artifact.ok()) {
      EndArm(arm, "prepare", artifact.error());
      continue;
    }
    plan_.arms[arm].job.artifact = artifact->folder;
    findings_.arms[arm].artifact = *std::move(artifact);
  }
}

Result<Outputs> Stages::ReferenceOutputs(const std::string& name, const std::string& engine,
                                         const conversion::Recipe& recipe) {
  Tell("reference", name);
  const auto& described = engines_.at(engine);
  if (!described.ok()) {
    return described.error();
  }
  ReferenceSpec spec;
  spec.worker = SpecOf(engine);
  spec.job = JobOf(name, recipe);
  spec.timeouts = timeouts_;
  spec.key = CacheKey(fmt::format("{}-{}", model_.name, name),
                      {model_.sha256, program_sha256_, inputs_.sha256, engine, described->version,
                       spec.job.recipe.dump(), spec.job.options.dump(), around_.machine.cpu});
  ASSAY_ASSIGN(const Reference reference,
               ComputeReference(spec, around_.home / "references", workshop_));
  reference_peak_ = std::max(reference_peak_, reference.peak_rss_bytes);
  return ReadOutputs(reference.outputs);
}

void Stages::ComputeReferences() {
  const auto keep = [](Result<Outputs> outputs, std::optional<Outputs>& into, std::string* why) {
    if (outputs.ok()) {
      into = *std::move(outputs);
    } else if (why != nullptr) {
      *why = outputs.error().message;
    }
  };
  conversion::Recipe eager;
  eager.capture = "none";
  eager.compiler = "eager";
  conversion::Recipe golden = eager;
  golden.precision = "fp64";
  if (Lowered(around_.roles.golden) && !program_.ok()) {
    references_.no_golden = program_.error().message;
  } else {
    keep(ReferenceOutputs("golden", around_.roles.golden, golden), references_.golden,
         &references_.no_golden);
    keep(ReferenceOutputs("noise", around_.roles.golden, eager), references_.eager, nullptr);
  }
  conversion::Recipe witness;
  witness.capture = "none";
  witness.compiler = "onnxruntime";
  witness.graph_optimization = "none";
  keep(ReferenceOutputs("witness", around_.roles.witness, witness), references_.witness,
       &references_.no_witness);
  for (const auto& [what, why] : {std::pair("golden", &references_.no_golden),
                                  std::pair("witness", &references_.no_witness)}) {
    if (!why->empty() && workshop_.signal() == 0) {
      progress_.Say(fmt::format("no {} to check outputs against: {}", what, *why));
    }
  }
}

void Stages::Measure() {
  plan_.samples = std::max(options_.samples, options_.baseline_runs);
  plan_.processes = std::max(1, options_.processes);
  plan_.precision_target = options_.precision_target;
  plan_.budget_s =
      options_.max_seconds.value_or(kSecondsPerArm * static_cast<double>(plan_.arms.size()));
  plan_.seed = options_.seed;
  plan_.timeouts = timeouts_;
  plan_.outputs = workshop_.temporary() / "outputs";
  std::error_code ignored;  // writing outputs there would say it
  std::filesystem::create_directories(plan_.outputs, ignored);
  for (ArmPlan& arm : plan_.arms) {
    arm.expected_bytes = reference_peak_ > 0
                             ? reference_peak_
                             : kRuntimeBytes + kWeightCopies * sizeof(float) * model_.parameters;
  }
  if (workshop_.signal() == 0) {
    MeasureInRounds(plan_, workshop_, progress_, findings_.seen);
  }
}

void Stages::JudgeOutputs() {
  Tell("verdict", "");
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
        EndArm(arm, "outputs", read.error());
      }
    }
    arms[arm] = {.outputs = outputs[arm] ? &*outputs[arm] : nullptr,
                 .precision = facts.precision,
                 .lowered = Lowered(facts.engine),
                 .witness_runtime = facts.engine == around_.roles.witness};
  }
  Verdict verdict = Judge(references_, arms, options_.tolerance);
  findings_.judgements = std::move(verdict.arms);
  findings_.lowering_suspect = std::move(verdict.lowering_suspect);
}

Campaign Stages::Finish() {
  Campaign campaign;
  campaign.run.machine = around_.machine;
  campaign.run.model = FactsOf(model_);
  campaign.signal = findings_.signal = workshop_.signal();
  findings_.threads = threads_;
  findings_.batch_size = campaign.run.model.batch_size;
  findings_.mistrust_reasons = around_.mistrust_reasons;
  const std::string subject = options_.subject.empty() ? model_.name : options_.subject;
  findings_.command_before = "assay run " + subject;
  findings_.command_after = RepeatOptions(options_);
  Assemble(findings_, campaign.run);
  return campaign;
}

}  // namespace

Result<Campaign> RunCampaign(const model::Model& model,
                             const std::vector<conversion::Choice>& choices, const Options& options,
                             const Surroundings& surroundings, Progress& progress) {
  const std::string started = Timestamp();
  ASSAY_ASSIGN(const std::unique_ptr<ProcessWorkshop> workshop,
               ProcessWorkshop::Open(surroundings.engines, surroundings.home));
  const double began = workshop->Now();
  Stages stages(model, choices, options, surroundings, progress, *workshop);
  ASSAY_TRY(stages.Describe());
  ASSAY_TRY(stages.DrawInputs());
  ASSAY_TRY(stages.LowerModel());
  stages.PlanArms();
  stages.PrepareArms();
  stages.ComputeReferences();
  stages.Measure();
  stages.JudgeOutputs();
  Campaign campaign = stages.Finish();
  campaign.run.started = started;
  campaign.run.total_s = workshop->Now() - began;
  return campaign;
}

}  // namespace assay::campaign
