#include "campaign/setting.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <set>
#include <utility>

#include "aten/lower.h"
#include "base/file.h"
#include "base/text.h"
#include "campaign/fits.h"
#include "campaign/outcome.h"
#include "campaign/program_file.h"
#include "hardware/environment.h"

namespace assay::campaign {
namespace {

constexpr const char* kPlain = "fp32";           // of a recipe that asks for no other precision
constexpr std::uint64_t kOtherSeed = 1'000'003;  // added: no sample that outputs are checked on
constexpr std::uint64_t kMostDrawnBytes = 64u << 20;  // of calibration samples,
constexpr int kMostDrawnSamples = 32;                 // and at most so many
constexpr std::uint64_t kReserveBytes = 1u << 30;     // of free memory, left to everyone else

bool IsOneOf(const std::vector<std::string>& engines, const std::string& engine) {
  return std::find(engines.begin(), engines.end(), engine) != engines.end();
}

Timeouts TimeoutsOf(const Options& options) {
  Timeouts timeouts;
  if (options.stage_timeout_s) {
    timeouts.prepare_s = timeouts.load_s = timeouts.slice_s = *options.stage_timeout_s;
  }
  return timeouts;
}

/// Of each worker. Errors  those of CheckFits.
Result<std::uint64_t> LimitOf(const model::Graph& graph, const Options& options, std::int64_t batch,
                              std::uint64_t free) {
  const std::uint64_t all = free > 2 * kReserveBytes ? free - kReserveBytes : free / 2;
  const std::uint64_t held = std::min(FootprintOf(graph).held, all / 2);
  const std::uint64_t limit = options.memory_bytes.value_or(all - held);
  ASSAY_TRY(CheckFits(graph, free, limit, options.memory_bytes.has_value(), batch));
  return limit;
}

/// Those that may run on this machine, for all that is known without their engines.
std::vector<conversion::Choice> Legal(const std::vector<conversion::Choice>& choices,
                                      const conversion::Host& host) {
  std::vector<conversion::Choice> legal;
  std::copy_if(choices.begin(), choices.end(), std::back_inserter(legal),
               [&](const auto& choice) { return conversion::LegalityOf(choice, host).able.ok(); });
  return legal;
}

/// choices  one at least
Result<Descriptions> Describe(const std::vector<conversion::Choice>& choices, const Roles& roles,
                              bool python, double timeout_s, Workshop& workshop) {
  std::set<std::string> names = {roles.golden, roles.witness};
  if (!roles.rounding.empty()) {
    names.insert(roles.rounding);
  }
  if (python) {
    names.insert(roles.module);
  }
  for (const conversion::Choice& choice : choices) {
    if (conversion::PlainOf(choice.conversion.recipe)) {
      names.insert(roles.plain);
    }
    names.insert(choice.route.engine);
    if (!choice.route.preparer.empty()) {
      names.insert(choice.route.preparer);
    }
  }
  Descriptions engines = DescribeEngines(names, timeout_s, workshop);
  for (const conversion::Choice& choice : choices) {
    const auto& described = engines.at(choice.route.engine);
    if (described.ok() || OutcomeOf(described.error().code) != record::Outcome::kUnsupported) {
      return engines;
    }
  }
  const Error& first = engines.at(choices.front().route.engine).error();
  return Error{Code::kUnavailable, "no engine for any of the conversions is here: " + first.message,
               first.hint};
}

/// A Python model's program is there already.
Status FindProgram(const model::Module& module, Setting& setting) {
  if (module.no_program) {
    setting.program = *module.no_program;
    return {};
  }
  ASSAY_ASSIGN(const std::string text, ReadFile(module.program));
  setting.program_sha256 = Sha256Of(text);
  setting.program = module.program.string();
  return {};
}

/// The user's files, and what a Python model gives its inputs that are no floats besides.
std::vector<InputFile> InputFilesOf(const model::Model& model, const Options& options) {
  std::vector<InputFile> files = options.inputs;
  if (model.module) {
    for (const auto& [name, path] : model.module->given_inputs) {
      if (std::none_of(files.begin(), files.end(),
                       [&](const InputFile& file) { return file.name == name; })) {
        files.push_back({name, path});
      }
    }
  }
  return files;
}

/// How many samples to draw: the ranges of a few say little about what others reach.
int SamplesToDraw(const model::Model& model, const Options& options) {
  if (!InputFilesOf(model, options).empty()) {
    return kInputSets;
  }
  std::uint64_t bytes = 1;  // of one
  for (const model::ValueId id : model.graph.inputs) {
    const tensor::Type& type = model.graph.values[static_cast<std::size_t>(id)].type;
    const auto elements = tensor::ElementCount(type.shape);
    bytes += (elements.ok() ? *elements : 0) * tensor::SizeOf(type.dtype);
  }
  return static_cast<int>(
      std::clamp<std::uint64_t>(kMostDrawnBytes / bytes, kInputSets, kMostDrawnSamples));
}

/// The user's samples; else some of the seed. What --input gives is used for these, too.
Result<Calibration> FindCalibration(const model::Model& model, const Options& options,
                                    const std::filesystem::path& folder, int gentleness) {
  if (!options.calibration.empty()) {
    return ReadCalibration(model.graph, options.calibration, folder);
  }
  const int samples = SamplesToDraw(model, options);
  ASSAY_ASSIGN(const Inputs drawn, DrawInputs(model.graph, options.seed + kOtherSeed, folder,
                                              InputFilesOf(model, options), samples, gentleness));
  return Calibration{.file = drawn.file,
                     .sha256 = drawn.sha256,
                     .samples = samples,
                     .source = options.inputs.empty() ? "synthetic" : "input"};
}

/// Lowers the model and writes the program below home/programs, named by its content.
Status Lower(Setting& setting) {
  const Result<aten::Program> program = aten::Lower(setting.model.graph);
  if (!program.ok()) {
    setting.program = program.error();
    return {};
  }
  ASSAY_ASSIGN(const ProgramFile file, KeepProgram(*program, setting.around.home));
  setting.program_sha256 = file.sha256;
  setting.program = file.path.string();
  return {};
}

std::filesystem::path InputsOf(const Setting& setting) { return setting.around.home / "inputs"; }

/// Inputs, calibration where an arm wants it, and the program.
Status FindData(const std::vector<conversion::Choice>& legal, Setting& setting) {
  ASSAY_ASSIGN(setting.inputs,
               DrawInputs(setting.model.graph, setting.options.seed, InputsOf(setting),
                          InputFilesOf(setting.model, setting.options)));
  if (std::any_of(legal.begin(), legal.end(), [](const conversion::Choice& choice) {
        const auto plain = conversion::PlainOf(choice.conversion.recipe);
        return conversion::Calibrates(choice.conversion.recipe) ||
               (plain && conversion::Calibrates(*plain));
      })) {
    ASSAY_ASSIGN(setting.calibration,
                 FindCalibration(setting.model, setting.options, InputsOf(setting), 0));
  }
  return setting.model.module ? FindProgram(*setting.model.module, setting) : Lower(setting);
}

}  // namespace

WorkerSpec Setting::SpecOf(const std::string& engine) const {
  hardware::Machine machine;
  machine.facts = around.machine;
  machine.usable_cores = around.physical_cores;
  machine.cpus = around.cpus;
  hardware::ThreadEnvironment environment = hardware::EnvironmentForThreads(machine, threads);
  environment.variables.emplace_back("TORCH_EXTENSIONS_DIR", around.home / "extensions");
  return {.engine = engine,
          .variables = std::move(environment.variables),
          .cpus = std::move(environment.cpus),
          .memory_bytes = memory_bytes};
}

engine::Job Setting::JobOf(const std::string& name, const conversion::Recipe& recipe) const {
  engine::Job job;
  job.conversion = name;
  job.recipe = conversion::ToJson(recipe);
  job.onnx = model.onnx;
  job.program = program.ok() ? *program : "";
  job.module = model.module ? model.module->file.string() : "";
  job.inputs = inputs.file;
  job.input_sets = kInputSets;
  job.threads = threads;
  job.options = options.engine_options;
  return job;
}

PreparationSpec Setting::PreparationOf(const conversion::Choice& choice) const {
  const auto& [engine, preparer] = choice.route;
  std::vector<std::string> parts = {model.sha256,
                                    program_sha256,
                                    conversion::ToJson(choice.conversion.recipe).dump(),
                                    std::to_string(threads),
                                    engine,
                                    engines.at(engine)->version,
                                    preparer,
                                    engines.at(preparer)->version,
                                    engines.at(preparer)->code,
                                    around.machine.cpu,
                                    Join(around.machine.isa, " ")};
  engine::Job job = JobOf(choice.conversion.name, choice.conversion.recipe);
  if (conversion::Calibrates(choice.conversion.recipe)) {
    parts.push_back(calibration.sha256);
    job.inputs = calibration.file;
    job.input_sets = calibration.samples;
  }
  return {.label = choice.label,
          .key = CacheKey(fmt::format("{}-{}", model.name, choice.conversion.name), parts),
          .worker = SpecOf(preparer),
          .job = std::move(job),
          .timeout_s = timeouts.prepare_s,
          .alone = choice.conversion.recipe.mode == "max-autotune"};
}

conversion::Recipe Setting::InOwnPrecision(conversion::Recipe recipe) const {
  const bool reduced = model.precision == "fp16" || model.precision == "bf16";
  if (recipe.precision == kPlain && reduced) {
    recipe.precision = model.precision;
    recipe.as_is = true;
  }
  return recipe;
}

conversion::Recipe Setting::ForArm(conversion::Recipe recipe) const {
  if (conversion::Calibrates(recipe)) {
    recipe.calibration = options.calibration_method;
  }
  return InOwnPrecision(std::move(recipe));
}

std::optional<record::Calibration> Setting::CalibrationOf(const conversion::Recipe& recipe) const {
  if (!conversion::Calibrates(recipe) || calibration.samples == 0) {
    return std::nullopt;
  }
  return record::Calibration{.source = calibration.source,
                             .folder = options.calibration.string(),
                             .method = recipe.calibration,
                             .samples = calibration.samples,
                             .dropped = calibration.dropped};
}

bool Setting::RunsModule(const std::string& engine) const {
  return model.module && engine == around.roles.module;
}

bool Setting::RunsProgram(const std::string& engine) const {
  return IsOneOf(around.roles.lowered, engine) && !RunsModule(engine);
}

Status Setting::Able(const std::string& engine) const {
  if (const auto& described = engines.at(engine); !described.ok()) {
    return described.error();
  }
  if (RunsProgram(engine) && !program.ok()) {
    return program.error();
  }
  const bool no_onnx = model.module && model.module->no_onnx && IsOneOf(around.roles.onnx, engine);
  return no_onnx ? Status(*model.module->no_onnx) : Status();
}

Status Setting::Able(const conversion::Choice& choice) const {
  ASSAY_TRY(conversion::LegalityOf(choice, around.host).able);
  return Able(choice.route.engine);
}

Status DrawAgain(Setting& setting, int gentleness) {
  ASSAY_ASSIGN(setting.inputs,
               DrawInputs(setting.model.graph, setting.options.seed, InputsOf(setting),
                          InputFilesOf(setting.model, setting.options), kInputSets, gentleness));
  if (setting.calibration.samples > 0 && setting.options.calibration.empty()) {
    ASSAY_ASSIGN(setting.calibration,
                 FindCalibration(setting.model, setting.options, InputsOf(setting), gentleness));
  }
  return {};
}

const Setting& Settings::ForReferences(std::size_t model) const {
  return *std::ranges::max_element(all[model], {}, &Setting::threads);
}

Setting& Settings::ForReferences(std::size_t model) {
  return *std::ranges::max_element(all[model], {}, &Setting::threads);
}

Result<Settings> Arrange(std::span<const model::Model> models,
                         const std::vector<conversion::Choice>& choices, const Options& options,
                         const Surroundings& around, Workshop& workshop) {
  const std::vector<conversion::Choice> legal = Legal(choices, around.host);
  const std::uint64_t free = workshop.AvailableBytes();
  Descriptions engines;
  if (!legal.empty()) {
    ASSAY_ASSIGN(engines, Describe(legal, around.roles, models.front().module.has_value(),
                                   TimeoutsOf(options).load_s, workshop));
  }
  Settings settings;
  for (std::size_t i = 0; i < models.size(); ++i) {
    const model::Model& model = models[i];
    ASSAY_ASSIGN(const std::uint64_t memory_bytes,
                 LimitOf(model.graph, options,
                         i < options.batch_sizes.size() ? options.batch_sizes[i] : 0, free));
    Setting setting{.model = model,
                    .options = options,
                    .around = around,
                    .timeouts = TimeoutsOf(options),
                    .threads = around.physical_cores,
                    .memory_bytes = memory_bytes,
                    .engines = engines,
                    .inputs = {},
                    .calibration = {},
                    .program = Error{},
                    .program_sha256 = ""};
    if (!legal.empty()) {
      ASSAY_TRY(FindData(legal, setting));
    }
    std::vector<Setting>& of_model = settings.all.emplace_back();
    for (const int threads :
         options.threads.empty() ? std::vector{around.physical_cores} : options.threads) {
      of_model.push_back(setting);
      of_model.back().threads = threads;
    }
  }
  return settings;
}

}  // namespace assay::campaign
