#include "engine_cases.h"

#include <algorithm>

#include "base/text.h"

namespace assay::engine {
namespace {

Json Eager() {
  return {{"capture", "none"},
          {"compiler", "eager"},
          {"precision", "fp32"},
          {"freezing", false},
          {"graph_optimization", "all"}};
}

}  // namespace

std::vector<EngineCase> PresentCases() {
  std::vector<EngineCase> cases = {
      {"fake", "Fake", {{"compiler", "fake"}, {"precision", "fp32"}}, true, false, 100},
      {"onnxruntime", "OnnxRuntime", {{"compiler", "onnxruntime"}, {"precision", "fp32"}}},
      {"onnxruntime",
       "OnnxRuntimeWitness",
       {{"compiler", "onnxruntime"}, {"precision", "fp32"}, {"graph_optimization", "none"}}},
      {"openvino", "OpenVino", {{"compiler", "openvino"}, {"precision", "fp32"}}, true},
      {"torch", "Torch", Eager()},
      {"pytorch", "PyTorch", Eager(), false, true, 5},
  };
  const std::vector<std::string> present = Split(ASSAY_ENGINES, ',');
  std::erase_if(cases, [&](const EngineCase& c) {
    return std::find(present.begin(), present.end(), c.engine) == present.end();
  });
  return cases;
}

std::filesystem::path Fixture() { return ASSAY_ENGINE_FIXTURE; }

void PrintTo(const EngineCase& c, std::ostream* out) { *out << c.label; }

}  // namespace assay::engine
