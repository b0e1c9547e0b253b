#include "campaign/reference.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <system_error>

#include "aten/lower.h"
#include "aten/unquantise.h"
#include "base/file.h"
#include "base/json.h"
#include "campaign/batch_check.h"
#include "campaign/node_scan.h"
#include "campaign/preparation.h"
#include "campaign/program_file.h"
#include "campaign/written_outputs.h"
#include "model/precision.h"

namespace assay::campaign {
namespace {

constexpr double kScanSeconds = 120;      // to find where fp32 loses the outputs
constexpr double kBatchTolerance = 1e-9;  // of fp64: kernels for another batch may sum differently

struct Computed {
  std::filesystem::path outputs;
  std::uint64_t peak_rss_bytes = 0;
};

struct Request {
  std::string key;  // of everything that the outputs depend on; a file name
  WorkerSpec worker;
  engine::Job job;
};

Result<Computed> ReadManifest(const std::filesystem::path& outputs,
                              const std::filesystem::path& manifest) {
  ASSAY_ASSIGN(const Json json, ReadJson(manifest));
  return FromJson(manifest.string(), [&] {
    return Computed{.outputs = outputs,
                    .peak_rss_bytes = json.at("peak_rss_bytes").get<std::uint64_t>()};
  });
}

Result<Computed> Compute(const Request& request, const Timeouts& timeouts,
                         const std::filesystem::path& folder, Workshop& workshop) {
  const std::filesystem::path outputs = folder / (request.key + ".safetensors");
  const std::filesystem::path manifest = folder / (request.key + ".json");
  std::error_code error;
  if (std::filesystem::exists(outputs, error)) {
    if (Result<Computed> done = ReadManifest(outputs, manifest); done.ok()) {
      return done;
    }
  }
  std::filesystem::create_directories(folder, error);
  // Two runs may do this at once: each writes a file of its own and renames it.
  const std::filesystem::path own = folder / fmt::format("{}.{}.partial", request.key, ::getpid());
  ASSAY_ASSIGN(const std::uint64_t peak_rss_bytes,
               WriteOutputs(request.worker, request.job, own, timeouts, workshop));
  std::filesystem::rename(own, outputs, error);
  if (error) {
    return Error{Code::kIo, fmt::format("cannot write {}: {}", outputs.string(), error.message()),
                 "set ASSAY_HOME to a folder that can be written"};
  }
  ASSAY_TRY(WriteFileAtomically(manifest, Json{{"peak_rss_bytes", peak_rss_bytes}}.dump()));
  return Computed{.outputs = outputs, .peak_rss_bytes = peak_rss_bytes};
}

/// Runs (or finds) one reference and notes its peak memory.
class Runner {
 public:
  Runner(const Setting& setting, Workshop& workshop, Progress& progress)
      : setting_(setting), workshop_(workshop), progress_(progress) {}

  Result<Outputs> Run(const std::string& name, const std::string& engine,
                      const conversion::Recipe& recipe) {
    progress_.Update({.name = "reference", .arm = name});
    ASSAY_TRY(setting_.Able(engine));
    return Run(name, engine, setting_.JobOf(name, recipe),
               {setting_.model.sha256, setting_.program_sha256, setting_.inputs.sha256});
  }

  /// A job of its own; `content` is what its files hold, hashed.
  Result<Outputs> Run(const std::string& name, const std::string& engine, engine::Job job,
                      std::vector<std::string> content) {
    Request request{.key = "", .worker = setting_.SpecOf(engine), .job = std::move(job)};
    for (const std::string& part :
         {engine, setting_.engines.at(engine)->version, setting_.engines.at(engine)->code,
          request.job.recipe.dump(), request.job.options.dump(), setting_.around.machine.cpu}) {
      content.push_back(part);
    }
    request.key = CacheKey(fmt::format("{}-{}", setting_.model.name, name), content);
    ASSAY_ASSIGN(const Computed computed, Compute(request, setting_.timeouts,
                                                  setting_.around.home / "references", workshop_));
    peak_ = std::max(peak_, computed.peak_rss_bytes);
    return ReadOutputs(computed.outputs);
  }
  std::uint64_t peak() const { return peak_; }

 private:
  const Setting& setting_;
  Workshop& workshop_;
  Progress& progress_;
  std::uint64_t peak_ = 0;
};

conversion::Recipe RecipeOf(const char* compiler, const char* precision, const char* optimization) {
  conversion::Recipe recipe;
  recipe.capture = "none";
  recipe.compiler = compiler;
  recipe.precision = precision;
  recipe.graph_optimization = optimization;
  return recipe;
}

Result<Roundings> MeasureRounding(const Setting& setting, const Outputs& golden, Runner& runner) {
  conversion::Recipe recipe = RecipeOf("eager", "fp64", "all");
  recipe.rounding = true;
  ASSAY_ASSIGN(const Outputs numbers,
               runner.Run("rounding", setting.around.roles.rounding, recipe));
  return RoundingsFrom(numbers, golden);
}

/// Names the node where fp32 loses a model whose outputs it leaves undecided.
void FindLoss(const Setting& setting, Workshop& workshop, Progress& progress,
              References& references) {
  if (setting.model.module || !IllConditioned(references)) {
    return;
  }
  progress.Update({.name = "reference", .arm = "where fp32 loses the outputs"});
  const auto scan = ScanRounding(setting, kScanSeconds, workshop);
  if (scan.ok() && scan->first) {
    references.ill_conditioned = fmt::format("node '{}' ({})", scan->first->node, scan->first->op);
  }
}

/// What fp32 can do to the model, and which outputs do not repeat. `engine` made golden.
void EstimateRounding(const Setting& setting, const std::string& engine, Runner& runner,
                      Workshop& workshop, Progress& progress, References& references) {
  const auto say = [&](const Error& error) {
    if (workshop.signal() == 0) {
      progress.Say(fmt::format("no full estimate of what fp32 does: {}", error.message));
    }
  };
  if (!setting.around.roles.rounding.empty()) {
    auto measured = MeasureRounding(setting, *references.golden, runner);
    if (measured.ok()) {
      references.rounding = *std::move(measured);
    } else {
      say(measured.error());
    }
  }
  for (const auto& [name, rounding] : references.rounding) {
    if (std::string why = Unrepeatable(rounding); !why.empty()) {
      references.unchecked[name] = std::move(why);
    }
  }
  if (auto run = runner.Run("noise", engine, RecipeOf("eager", "fp32", "all")); run.ok()) {
    references.eager_differs = setting.model.module && setting.model.module->fast_path_differs &&
                               references.golden_name == kModuleGolden;
    if (!references.eager_differs) {
      Extend(*references.golden, *run, references.rounding);
    }
    references.eager = *std::move(run);
  } else {
    say(run.error());
  }
}

/// Where no program makes golden: the file itself, widened to fp64 (engines/pytorch/widened.py).
/// One that is far from the witness may be the evaluator's fault, so that it judges nobody.
void UseWidened(const Setting& setting, Runner& runner, References& references) {
  constexpr double kPlausibleOfFp32 = 1e-2;  // a well-conditioned model's fp32 is nearer its fp64
  constexpr std::pair<const char*, const char*> kWays[] = {
      {"onnxruntime_wide", "onnxruntime-fp64"}, {"onnx_reference", "onnx-reference-fp64"}};
  const std::string& engine = setting.around.roles.rounding;
  const auto here = setting.engines.find(engine);
  if (here == setting.engines.end() || !here->second.ok() || !references.witness) {
    return;
  }
  for (const auto& [compiler, name] : kWays) {
    auto run = runner.Run(name, engine, setting.JobOf(name, RecipeOf(compiler, "fp64", "all")),
                          {setting.model.sha256, setting.inputs.sha256});
    if (!run.ok()) {
      continue;
    }
    const Difference apart = Compare(*run, *references.witness, references.fixed_input);
    if (apart.problem.empty() && apart.relative_l2 <= kPlausibleOfFp32) {
      Extend(*run, *references.witness, references.rounding);
      references.golden = *std::move(run);
      references.golden_name = name;
      return;
    }
  }
}

/// The setting whose program gives as outputs, too, what indices were chosen from.
Setting Showing(const Setting& setting, const std::map<std::string, Choice>& choices) {
  Setting showing = setting;
  model::Graph graph = setting.model.graph;
  for (const auto& [output, choice] : choices) {
    const bool shown = std::ranges::find(graph.outputs, choice.values) != graph.outputs.end();
    const bool given = std::ranges::find(graph.inputs, choice.values) != graph.inputs.end();
    if (!shown && !given) {
      graph.outputs.push_back(choice.values);
    }
  }
  if (graph.outputs.size() == setting.model.graph.outputs.size() || !setting.program.ok()) {
    return showing;
  }
  const Result<aten::Program> program = aten::Lower(graph);
  if (!program.ok()) {
    return showing;
  }
  if (const Result<ProgramFile> kept = KeepProgram(*program, setting.around.home); kept.ok()) {
    showing.program = kept->path.string();
    showing.program_sha256 = kept->sha256;
  }
  return showing;
}

/// Takes from golden what its program showed beside the outputs.
void FillChosen(const Setting& setting, const std::map<std::string, Choice>& choices,
                References& references) {
  const model::Graph& graph = setting.model.graph;
  const Result<Outputs> inputs = ReadOutputs(setting.inputs.file);
  for (const auto& [output, choice] : choices) {
    const std::string& name = graph.At(choice.values).name;
    if (const auto found = references.golden->find(name); found != references.golden->end()) {
      references.chosen[output] = {found->second, choice.axis, references.rounding[name]};
    } else if (inputs.ok() && inputs->contains(name)) {
      references.chosen[output] = {inputs->at(name), choice.axis, {}};
    }
  }
  for (const auto& [output, choice] : choices) {
    if (std::ranges::find(graph.outputs, choice.values) == graph.outputs.end()) {
      references.golden->erase(graph.At(choice.values).name);
    }
  }
}

/// The plain run of a reduced class; quantised by scales of the calibration inputs.
Result<Outputs> Plain(const Setting& setting, const conversion::Recipe& recipe, Workshop& workshop,
                      Progress& progress, Runner& runner) {
  const std::string name = conversion::PlainName(recipe), &engine = setting.around.roles.plain;
  if (recipe.quantisation.empty()) {
    return runner.Run(name, engine, recipe);
  }
  ASSAY_TRY(setting.Able(engine));
  conversion::Choice choice;
  choice.conversion.name = choice.label = name;
  choice.conversion.recipe = recipe;
  choice.route = {.engine = engine, .preparer = engine};
  ASSAY_ASSIGN(const Artifact artifact, PrepareArtifact(setting.PreparationOf(choice),
                                                        setting.Artifacts(), workshop, progress));
  engine::Job job = setting.JobOf(name, recipe);
  job.artifact = artifact.folder;
  return runner.Run(name, engine, std::move(job),
                    {setting.model.sha256, setting.program_sha256, setting.inputs.sha256,
                     setting.calibration.sha256});
}

/// The model without the rounding of its activations, in fp64.
Result<Outputs> Unquantised(const Setting& setting, Runner& runner) {
  ASSAY_ASSIGN(const aten::Program program,
               aten::Lower(aten::WithoutQuantisation(setting.model.graph)));
  ASSAY_ASSIGN(const ProgramFile kept, KeepProgram(program, setting.around.home));
  engine::Job job = setting.JobOf("unquantised", RecipeOf("eager", "fp64", "all"));
  job.program = kept.path;
  return runner.Run("unquantised", setting.around.roles.golden, std::move(job),
                    {setting.model.sha256, kept.sha256, setting.inputs.sha256});
}

/// What golden, or without it the witness, gives for the file that the model was made of, on the
/// same inputs in batches of the file's size.
Result<Outputs> OfOriginal(const Setting& setting, Runner& runner, bool golden) {
  const model::Original& original = *setting.model.original;
  ASSAY_ASSIGN(const model::Model file,
               model::Load(original.onnx, {.dimensions = original.dimensions, .known_sha256 = ""}));
  ASSAY_ASSIGN(const Pieces pieces, CutInputs(setting.model.graph, setting.inputs, original.batch,
                                              setting.around.home / "inputs"));
  const Roles& roles = setting.around.roles;
  engine::Job job = setting.JobOf(
      "original", golden ? RecipeOf("eager", "fp64", "all")
                         : setting.InOwnPrecision(RecipeOf("onnxruntime", "fp32", "none")));
  job.onnx = file.onnx;
  job.inputs = pieces.file;
  job.input_sets = kInputSets * pieces.per_set;
  std::string program_sha256;
  if (golden) {
    ASSAY_ASSIGN(const aten::Program program, aten::Lower(file.graph));
    ASSAY_ASSIGN(const ProgramFile kept, KeepProgram(program, setting.around.home));
    job.program = kept.path;
    program_sha256 = kept.sha256;
  }
  ASSAY_ASSIGN(const Outputs outputs,
               runner.Run("original", golden ? roles.golden : roles.witness, std::move(job),
                          {file.sha256, program_sha256, pieces.sha256}));
  return Stack(
      outputs, pieces.per_set,
      setting.model.graph.values[static_cast<std::size_t>(setting.model.graph.inputs.front())]
          .type.shape.front(),
      original.batch);
}

Status CheckBatch(const Setting& setting, const References& references, Runner& runner,
                  Progress& progress) {
  const bool golden = references.golden.has_value();
  const std::optional<Outputs>& made = golden ? references.golden : references.witness;
  const Error unverified{
      Code::kUnsupported,
      fmt::format("'{}' with another batch than its file's cannot be verified: {}; {}",
                  setting.model.name, references.no_golden, references.no_witness),
      "export the file with that batch size or a free one"};
  if (!made) {
    return unverified;
  }
  ASSAY_ASSIGN(const Outputs wanted, OfOriginal(setting, runner, golden));
  const Difference apart = Compare(wanted, *made, references.fixed_input);
  const double tolerance = golden ? kBatchTolerance : *ToleranceOf(references.precision, {});
  if (!apart.problem.empty() || apart.relative_l2 > tolerance) {
    return Error{
        Code::kInvalidArgument,
        fmt::format("the batch of '{}' is fixed: changed, it computes something else ({})",
                    setting.model.name,
                    apart.problem.empty()
                        ? fmt::format("its outputs are off by {:.1e}", apart.relative_l2)
                        : apart.problem),
        fmt::format("--batch-size {}, or export the file with that batch size or a free one",
                    setting.model.original->batch)};
  }
  progress.Say(
      fmt::format("the batch was changed from the file's {}: outputs agree, row by row, "
                  "within {:.1e}",
                  setting.model.original->batch, apart.relative_l2));
  return {};
}

conversion::Recipe GoldenRecipe() { return RecipeOf("eager", "fp64", "all"); }

conversion::Recipe WitnessRecipe(const Setting& setting) {
  return setting.InOwnPrecision(RecipeOf("onnxruntime", "fp32", "none"));
}

}  // namespace

Result<std::vector<Outputs>> FirstReferences(const Setting& setting, Workshop& workshop,
                                             Progress& progress) {
  Runner runner(setting, workshop, progress);
  const Roles& roles = setting.around.roles;
  std::vector<std::string> engines = {roles.golden};
  if (setting.model.module) {
    engines.insert(engines.begin(), roles.module);
  }
  for (const std::string& engine : engines) {
    Result<Outputs> golden = runner.Run("golden", engine, GoldenRecipe());
    if (golden.ok()) {
      ASSAY_ASSIGN(Outputs noise, runner.Run("noise", engine, RecipeOf("eager", "fp32", "all")));
      return std::vector{*std::move(golden), std::move(noise)};
    }
    if (golden.error().code == Code::kInterrupted) {
      return golden.error();
    }
  }
  ASSAY_ASSIGN(Outputs witness, runner.Run("witness", roles.witness, WitnessRecipe(setting)));
  return std::vector{std::move(witness)};
}

ComputedReferences ComputeReferences(const Setting& setting,
                                     const std::vector<conversion::Recipe>& plains,
                                     Workshop& workshop, Progress& progress) {
  Runner runner(setting, workshop, progress);
  const Roles& roles = setting.around.roles;
  ComputedReferences computed;
  References& references = computed.references;
  references.fixed_input = setting.inputs.fixed;
  references.drawn = setting.inputs.AnyDrawn();
  const auto keep = [&](const char* what, Result<Outputs> outputs, std::optional<Outputs>& into) {
    std::string why;
    if (outputs.ok()) {
      into = *std::move(outputs);
    } else if (why = outputs.error().message; workshop.signal() == 0) {
      progress.Say(fmt::format("no {} to check outputs by: {}", what, why));
    }
    return why;
  };
  const bool own = setting.model.module.has_value();
  if (!own) {
    for (const std::string& output : RandomOutputs(setting.model.graph)) {
      references.unchecked[output] = "its outputs are random";
    }
  }
  const auto choices = own ? std::map<std::string, Choice>() : ChosenIndices(setting.model.graph);
  const Setting showing = Showing(setting, choices);
  Runner with_choices(showing, workshop, progress);
  const auto compute_golden = [&](const std::string& engine) {
    references.no_golden =
        keep("golden", with_choices.Run("golden", engine, GoldenRecipe()), references.golden);
    if (references.golden) {
      EstimateRounding(setting, engine, with_choices, workshop, progress, references);
      FillChosen(setting, choices, references);
      FindLoss(setting, workshop, progress, references);
    }
  };
  references.golden_name = own ? kModuleGolden : kLoweredGolden;
  compute_golden(own ? roles.module : roles.golden);
  if (own && !references.golden && setting.program.ok()) {
    references.golden_name = kLoweredGolden;  // code that insists on float32: its export knows fp64
    compute_golden(roles.golden);
  }
  references.precision = setting.model.precision;
  const conversion::Recipe plain = setting.InOwnPrecision(RecipeOf("eager", "fp32", "all"));
  if (references.golden && plain.as_is) {
    keep("plain run in its own precision", runner.Run("plain", roles.golden, plain),
         references.plain);
  } else if (references.golden && setting.model.precision == model::kQuantised) {
    keep("run without quantisation", Unquantised(setting, runner), references.plain);
  }
  for (const conversion::Recipe& recipe : plains) {
    std::optional<Outputs> outputs;
    const std::string name = conversion::PlainName(recipe);
    keep(name.c_str(), Plain(setting, recipe, workshop, progress, runner), outputs);
    if (outputs) {
      references.plains[name] = *std::move(outputs);
    }
  }
  references.no_witness = keep(
      "witness", runner.Run("witness", roles.witness, WitnessRecipe(setting)), references.witness);
  if (setting.model.original && workshop.signal() == 0) {
    computed.batch = CheckBatch(setting, references, runner, progress);
  }
  if (!references.golden && !own && workshop.signal() == 0) {
    UseWidened(setting, runner, references);
  }
  computed.peak_rss_bytes = std::max(runner.peak(), with_choices.peak());
  return computed;
}

}  // namespace assay::campaign
