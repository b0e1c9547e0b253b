#include "engine_cases.h"

#include <algorithm>
#include <string>

#include "base/text.h"

namespace assay::engine {
namespace {

Json Recipe(const std::string& compiler, bool freezing = false) {
  return {{"capture", compiler == "aot_inductor" ? "export" : "none"},
          {"compiler", compiler},
          {"precision", "fp32"},
          {"freezing", freezing},
          {"graph_optimization", "all"}};
}

std::vector<EngineCase> Cases() {
#ifdef ASSAY_COMPILED_CASES
  constexpr int kCycles = 2;
  return {
      {"pytorch", "PyTorchInductor", Recipe("inductor"), "pytorch", true, 0, kCycles},
      {"torch", "TorchAotInductor", Recipe("aot_inductor"), "pytorch", true, 0, kCycles},
      {"torch", "TorchFrozen", Recipe("aot_inductor", true), "pytorch", true, 0, kCycles},
  };
#else
  return {
      {"fake", "Fake", {{"compiler", "fake"}, {"precision", "fp32"}}, "fake", false, 0, 100},
      {"onnxruntime", "OnnxRuntime", {{"compiler", "onnxruntime"}, {"precision", "fp32"}}},
      {"onnxruntime",
       "OnnxRuntimeWitness",
       {{"compiler", "onnxruntime"}, {"precision", "fp32"}, {"graph_optimization", "none"}}},
      {"openvino", "OpenVino", {{"compiler", "openvino"}, {"precision", "fp32"}}, "openvino"},
      {"openvino",
       "OpenVinoThroughput",
       {{"compiler", "openvino"}, {"precision", "fp32"}, {"streams", "throughput"}},
       "openvino",
       true,
       2},
      {"torch", "Torch", Recipe("eager")},
      {"pytorch", "PyTorch", Recipe("eager"), "", true, 0, 5},
  };
#endif
}

}  // namespace

std::vector<EngineCase> PresentCases() {
  std::vector<EngineCase> cases = Cases();
  const std::vector<std::string> present = Split(ASSAY_ENGINES, ',');
  const auto absent = [&](const std::string& engine) {
    return !engine.empty() && std::find(present.begin(), present.end(), engine) == present.end();
  };
  std::erase_if(cases, [&](const EngineCase& c) { return absent(c.engine) || absent(c.preparer); });
  return cases;
}

std::filesystem::path Fixture() { return ASSAY_ENGINE_FIXTURE; }

void PrintTo(const EngineCase& c, std::ostream* out) { *out << c.label; }

}  // namespace assay::engine
