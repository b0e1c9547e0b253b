// Judges the outputs of one arm by files: judge_outputs REFERENCES OUTPUTS, where REFERENCES is the
// beginning of the names of a model's golden, rounding, noise and witness (".safetensors").
// Prints the judgement as JSON.
#include <fmt/format.h>

#include <cstdio>
#include <string>

#include "base/json.h"
#include "campaign/verdict.h"

namespace assay::campaign {
namespace {

Result<Json> JudgeFiles(const std::string& references_at, const std::string& outputs_at) {
  References references;
  ASSAY_ASSIGN(references.golden, ReadOutputs(references_at + "golden.safetensors"));
  ASSAY_ASSIGN(references.witness, ReadOutputs(references_at + "witness.safetensors"));
  ASSAY_ASSIGN(const Outputs numbers, ReadOutputs(references_at + "rounding.safetensors"));
  ASSAY_ASSIGN(references.rounding, RoundingsFrom(numbers, *references.golden));
  ASSAY_ASSIGN(const Outputs noise, ReadOutputs(references_at + "noise.safetensors"));
  Extend(*references.golden, noise, references.rounding);
  ASSAY_ASSIGN(const Outputs outputs, ReadOutputs(outputs_at));
  const ArmOutputs arm{.outputs = &outputs, .witness_runtime = true};
  const Judgement judgement = Judge(references, {&arm, 1}, std::nullopt).arms.front();
  return Json{{"verdict", judgement.output.verdict},
              {"deviates", judgement.output.deviates},
              {"relative_l2", judgement.output.relative_l2.value_or(-1)},
              {"tolerance", judgement.output.tolerance.value_or(-1)},
              {"reason", judgement.reason}};
}

}  // namespace
}  // namespace assay::campaign

int main(int argc, char** argv) {
  if (argc != 3) {
    fmt::print(stderr, "usage: judge_outputs REFERENCES OUTPUTS\n");
    return 2;
  }
  const auto json = assay::campaign::JudgeFiles(argv[1], argv[2]);
  if (!json.ok()) {
    fmt::print(stderr, "{}\n", json.error().message);
    return 1;
  }
  fmt::print("{}\n", json->dump());
  return 0;
}
