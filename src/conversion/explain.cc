#include "conversion/explain.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "conversion/legality.h"

namespace assay::conversion {
namespace {

/// What is to be said of all conversions with one way of quantising or, without, one compiler.
struct Kind {
  const char* name;  // Recipe::quantisation or Recipe::compiler
  const char* use;
  const char* trap;
};

constexpr const char* kTakesDefault = "when no runtime but PyTorch may be used";
constexpr const char* kCalibrated =
    "scales of activations come from calibration: without it the outputs are garbage";

constexpr Kind kKinds[] = {
    {"eager", "as the baseline: what the model costs when nothing is done to it", ""},
    {"inductor", "in Python programs that can afford to compile when they start",
     "a graph break leaves the code around it to Python; compiling needs a C++ compiler where it "
     "runs"},
    {"aot_inductor", "to deploy with PyTorch's kernels but without Python",
     "without FREEZING the weights of convolutions are laid out anew in every call; a package is "
     "bound to the processor it was compiled for"},
    {"torchscript", "for programs that load TorchScript already",
     "PyTorch no longer develops it; tracing keeps only the branches that the example took"},
    {"onnxruntime", "to deploy with a small runtime and the model as a file", ""},
    {"openvino", "to deploy on processors that OpenVINO is made for",
     "left to itself it computes in bf16 where the processor can; here the precision is set, and "
     "read back"},
    {"cudagraphs", "on NVIDIA GPUs, where starting kernels costs more than running them", ""},
    {"tensorrt", "to deploy on NVIDIA GPUs", ""},
    {"onnxrt", kTakesDefault, ""},
    {"openxla", "on TPUs", ""},
    {"tvm", "on processors that no other compiler knows", ""},
    {"quanto", "to see what a model's weights lose in fewer bits",
     "the arithmetic is not done in those bits: it saves memory, not necessarily time"},
    {"pt2e_float", "as the reference of what int8 does to the outputs",
     "it computes in fp32 and rounds besides: not a way to be faster"},
    {"pt2e_integer", "as the reference of integer arithmetic",
     "integers by general operators, not by int8 kernels: not a way to be faster"},
    {"fx_int8", "for int8 in PyTorch itself, on x86", kCalibrated},
    {"fx_simulated", "to see what int8 does to the outputs before it is used",
     "it computes in fp32 and rounds besides: not a way to be faster; without calibration the "
     "outputs are garbage"},
    {"torchao_int4", "where the weights of matrix products are what takes memory",
     "only linear layers are quantised: a convolutional network stays as it is"},
    {"x86_int8", "to deploy int8 with PyTorch's kernels but without Python", kCalibrated},
    {"static_int8", "where int8 kernels are there and typical inputs to calibrate with",
     kCalibrated},
    {"dynamic_int8", "for transformers and other models of matrix products, without calibration",
     "on convolutions it is slower than fp32"},
};

const Kind& KindOf(const Conversion& c) {
  const std::string& name =
      c.recipe.quantisation.empty() ? c.recipe.compiler : c.recipe.quantisation;
  const auto found = std::find_if(std::begin(kKinds), std::end(kKinds),
                                  [&](const Kind& kind) { return kind.name == name; });
  return found == std::end(kKinds) ? kKinds[0] : *found;
}

std::string TimedOf(const Conversion& c) {
  if (c.recipe.streams == "throughput") {
    return "inferences per second with as many requests at a time as OpenVINO asks for; the "
           "latency of one beside it";
  }
  const std::string timed = "one inference, from inputs in memory to outputs";
  return c.routes.front().preparer.empty()
             ? timed + "; loading and the first inference are shown beside it"
             : timed +
                   "; preparing (kept for later runs), loading and the first inference are "
                   "shown beside it";
}

std::vector<std::string> NeedsOf(const Conversion& c) {
  std::vector<std::string> needs;
  if (c.standing == Standing::kExplained) {
    return needs;
  }
  const Route& route = c.routes.front();
  const bool both = !route.preparer.empty() && route.preparer != route.engine;
  needs.push_back(
      both ? fmt::format("the engine {}, and {} to prepare it", route.engine, route.preparer)
           : fmt::format("the engine {}", route.engine));
  const Recipe& recipe = c.recipe;
  if (c.standing == Standing::kNeedsCuda) {
    needs.push_back("an NVIDIA GPU");
  }
  if (recipe.compiler == "inductor" || recipe.compiler == "aot_inductor") {
    needs.push_back("a C++ compiler (g++, or CXX)");
  }
  if (recipe.quantisation == "quanto" && (recipe.weights == "int4" || recipe.weights == "int2")) {
    needs.push_back("a C++ compiler and ninja, which build quanto's kernels on first use");
  }
  if (const auto need = IsaNeedOf(recipe)) {
    needs.push_back(fmt::format("a CPU with {}{}", Join(need->any_of, " or "),
                                need->required ? "" : " to be of use"));
  }
  return needs;
}

std::string UseOf(const Conversion& c) {
  const bool changed = c.recipe.compiler == "eager" && c.recipe.quantisation.empty() &&
                       c.recipe != Recipe{.compiler = "eager"};
  return changed ? "to see what the step before it brings by itself, without a compiler"
                 : KindOf(c).use;
}

std::string TrapOf(const Conversion& c) {
  std::vector<std::string> traps;
  if (const char* trap = KindOf(c).trap; *trap != '\0') {
    traps.push_back(trap);
  }
  if (c.recipe.weights == "int2") {
    traps.push_back(
        "int2 cannot keep a model right: its outputs are never judged, nor is it "
        "recommended");
  }
  if (c.recipe.quantisation == "quanto" && !c.recipe.activations.empty()) {
    traps.push_back(kCalibrated);
  }
  if (c.recipe.precision == "fp16") {
    traps.push_back(IsaNeedOf(c.recipe)->without);
  }
  if (c.recipe.streams == "throughput") {
    traps.push_back(
        "each inference takes longer than alone; its speedup is a ratio of throughputs, and it is "
        "ranked apart from arms that run one at a time");
  }
  if (c.recipe.mode == "reduce-overhead") {
    traps.push_back("what its mode adds are CUDA graphs: on a CPU it is the default mode");
  }
  return Join(traps, "; ");
}

}  // namespace

Explanation Explain(const Conversion& conversion) {
  return {.steps = conversion.steps,
          .timed = TimedOf(conversion),
          .needs = NeedsOf(conversion),
          .use = UseOf(conversion),
          .trap = TrapOf(conversion)};
}

}  // namespace assay::conversion
