#include "engines/torch/torch_engine.h"

#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <c10/core/InferenceMode.h>
#include <fmt/format.h>
#include <torch/headeronly/version.h>

#include <exception>
#include <filesystem>
#include <utility>

#include "base/json.h"
#include "conversion/recipe.h"
#include "engine/inputs.h"
#include "engines/torch/convert.h"
#include "engines/torch/package.h"
#include "engines/torch/replay.h"

namespace assay::engine_torch {
namespace {

/// Threads are set in the thread that runs: OpenMP keeps the number per thread.
void Configure(int threads) {
  at::set_num_threads(threads);
  if (at::get_num_interop_threads() != 1) {
    at::set_num_interop_threads(1);  // refused by PyTorch once its pool runs
  }
  at::globalContext().setFloat32MatmulPrecision("highest");
}

/// "fp32" only as long as PyTorch does not shorten float32 products to tf32 or bf16 inside.
std::string ObtainedPrecision(const std::string& asked) {
  const at::Context& context = at::globalContext();
  const auto inside = [&](at::Float32Op op) {
    return context.float32Precision(at::Float32Backend::MKLDNN, op);
  };
  for (const auto op : {at::Float32Op::CONV, at::Float32Op::MATMUL}) {
    if (asked == "fp32" &&
        (inside(op) == at::Float32Precision::BF16 || inside(op) == at::Float32Precision::TF32)) {
      return at::precision2str(inside(op));
    }
  }
  return asked;
}

Result<std::unique_ptr<Executable>> LoadExecutable(const conversion::Recipe& recipe,
                                                   const aten::Program& program,
                                                   const engine::Job& job,
                                                   at::ScalarType precision) {
  if (recipe.compiler == "aot_inductor") {
    return LoadPackage(job.artifact, job.threads);
  }
  if (recipe.compiler == "eager") {
    const std::filesystem::path folder = std::filesystem::path(job.onnx).parent_path();
    ASSAY_ASSIGN(auto replay, Replay::Load(program, folder, precision));
    return std::unique_ptr<Executable>(std::move(replay));
  }
  return Error{Code::kUnsupported,
               fmt::format("the torch engine has no compiler '{}'", recipe.compiler),
               "it runs eager and aot_inductor"};
}

}  // namespace

engine::Description TorchEngine::Describe() {
  return {.engine = "torch", .version = TORCH_VERSION, .reason = "", .hint = ""};
}

Result<engine::Loaded> TorchEngine::Load(const engine::Job& job,
                                         const tensor::SafetensorsFile& inputs) try {
  ASSAY_ASSIGN(const auto recipe, conversion::RecipeFromJson(job.recipe, "the job's recipe"));
  ASSAY_ASSIGN(const at::ScalarType asked, ScalarTypeOf(recipe.precision));
  const at::ScalarType precision = recipe.as_is ? kAsIs : asked;
  ASSAY_ASSIGN(const Json json, ReadJson(job.program));
  ASSAY_ASSIGN(const aten::Program program, aten::ProgramFromJson(json, job.program));
  Configure(job.threads);
  ASSAY_ASSIGN(executable_, LoadExecutable(recipe, program, job, precision));
  ASSAY_TRY(BindInputs(program, job.input_sets, inputs, precision));
  output_names_.clear();
  for (const auto& output : program.outputs) {
    output_names_.push_back(output.name);
  }
  return engine::Loaded{.threads = at::get_num_threads(),
                        .precision = ObtainedPrecision(recipe.precision),
                        .device = "cpu",
                        .notes = {}};
} catch (const std::exception& e) {
  return ErrorOf(e, "load");
}

Status TorchEngine::BindInputs(const aten::Program& program, int input_sets,
                               const tensor::SafetensorsFile& inputs, at::ScalarType precision) {
  const c10::InferenceMode no_autograd;
  input_sets_.assign(static_cast<std::size_t>(input_sets), {});
  for (int set = 0; set < input_sets; ++set) {
    for (const auto& input : program.inputs) {
      ASSAY_ASSIGN(const tensor::Entry* entry,
                   engine::FindInput(inputs, input.name, set, input.type));
      input_sets_[static_cast<std::size_t>(set)].push_back(
          CopyTensor(inputs.Bytes(*entry), entry->type, precision));
    }
  }
  return {};
}

Status TorchEngine::Infer(int set) {
  const c10::InferenceMode no_autograd;
  ASSAY_ASSIGN(outputs_, executable_->Run(input_sets_[static_cast<std::size_t>(set)]));
  return {};
}

Result<std::vector<tensor::Tensor>> TorchEngine::Outputs() try {
  if (outputs_.size() != output_names_.size()) {
    return Error{Code::kInternal,
                 fmt::format("the runtime gave {} outputs, the model has {}", outputs_.size(),
                             output_names_.size()),
                 ""};
  }
  const c10::InferenceMode no_autograd;
  std::vector<tensor::Tensor> exported;
  for (std::size_t i = 0; i < outputs_.size(); ++i) {
    ASSAY_ASSIGN(auto tensor, ExportTensor(outputs_[i], output_names_[i]));
    exported.push_back(std::move(tensor));
  }
  return exported;
} catch (const std::exception& e) {
  return ErrorOf(e, "outputs");
}

}  // namespace assay::engine_torch
