#include "campaign/reference.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <system_error>

#include "base/file.h"
#include "base/json.h"
#include "campaign/preparation.h"

namespace assay::campaign {
namespace {

constexpr double kMemoryTimeoutS = 60;

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
  ASSAY_ASSIGN(const std::unique_ptr<Worker> worker, workshop.Start(request.worker));
  const auto ask = [&](const char* verb, Json arguments, double seconds) {
    return worker->Ask(engine::MakeRequest(verb, std::move(arguments)), seconds);
  };
  ASSAY_ASSIGN(const Json loaded, ask("load", engine::ToJson(request.job), timeouts.load_s));
  ASSAY_ASSIGN(const Json done, ask("outputs", {{"path", own.string()}}, timeouts.load_s));
  ASSAY_ASSIGN(const Json after, ask("memory", {{"reset", false}}, kMemoryTimeoutS));
  ASSAY_ASSIGN(const engine::Memory memory, engine::MemoryFromJson(after));
  worker->Close();
  std::filesystem::rename(own, outputs, error);
  if (error) {
    return Error{Code::kIo, fmt::format("cannot write {}: {}", outputs.string(), error.message()),
                 "set ASSAY_HOME to a folder that can be written"};
  }
  ASSAY_TRY(WriteFileAtomically(manifest, Json{{"peak_rss_bytes", memory.peak_rss_bytes}}.dump()));
  return Computed{.outputs = outputs, .peak_rss_bytes = memory.peak_rss_bytes};
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
    Request request{
        .key = "", .worker = setting_.SpecOf(engine), .job = setting_.JobOf(name, recipe)};
    request.key = CacheKey(fmt::format("{}-{}", setting_.model.name, name),
                           {setting_.model.sha256, setting_.program_sha256, setting_.inputs.sha256,
                            engine, setting_.engines.at(engine)->version, request.job.recipe.dump(),
                            request.job.options.dump(), setting_.around.machine.cpu});
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

}  // namespace

ComputedReferences ComputeReferences(const Setting& setting, Workshop& workshop,
                                     Progress& progress) {
  Runner runner(setting, workshop, progress);
  const Roles& roles = setting.around.roles;
  ComputedReferences computed;
  References& references = computed.references;
  references.fixed_input = setting.inputs.fixed;
  const auto keep = [&](const char* what, Result<Outputs> outputs, std::optional<Outputs>& into) {
    std::string why;
    if (outputs.ok()) {
      into = *std::move(outputs);
    } else if (why = outputs.error().message; workshop.signal() == 0) {
      progress.Say(fmt::format("no {} to check outputs by: {}", what, why));
    }
    return why;
  };
  const auto compute_golden = [&](const std::string& engine) {
    references.no_golden =
        keep("golden", runner.Run("golden", engine, RecipeOf("eager", "fp64", "all")),
             references.golden);
    if (references.golden) {
      keep("noise", runner.Run("noise", engine, RecipeOf("eager", "fp32", "all")),
           references.eager);
    }
  };
  references.own = setting.model.module.has_value();
  compute_golden(references.own ? roles.module : roles.golden);
  if (references.own && !references.golden && setting.program.ok()) {
    references.own = false;  // code that insists on float32: what was exported of it knows fp64
    compute_golden(roles.golden);
  }
  references.no_witness =
      keep("witness", runner.Run("witness", roles.witness, RecipeOf("onnxruntime", "fp32", "none")),
           references.witness);
  computed.peak_rss_bytes = runner.peak();
  return computed;
}

}  // namespace assay::campaign
