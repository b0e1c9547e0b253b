#include "aten/lower.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "aten/fuse.h"
#include "aten/lowering.h"
#include "aten/rules.h"

namespace assay::aten {
namespace {

struct TableEntry {
  std::string_view op;
  Rule rule;
};

// Sorted by name; operators of the standard domain, and of the patterns that Fuse finds.
constexpr auto kRules = std::to_array<TableEntry>({
    {"Abs", LowerUnary},
    {"Add", LowerArithmetic},
    {"And", LowerComparison},
    {"Attention", LowerAttention},
    {"AveragePool", LowerAveragePool},
    {"BatchNormalization", LowerBatchNormalization},
    {"Cast", LowerCast},
    {"Ceil", LowerUnary},
    {"Clip", LowerClip},
    {"Concat", LowerConcat},
    {"Conv", LowerConv},
    {"Cos", LowerUnary},
    {"Div", LowerArithmetic},
    {"Dropout", LowerDropout},
    {"Equal", LowerComparison},
    {"Erf", LowerUnary},
    {"Exp", LowerUnary},
    {"Expand", LowerExpand},
    {"Flatten", LowerFlatten},
    {"Floor", LowerUnary},
    {"Gather", LowerGather},
    {"Gelu", LowerGelu},
    {"Gemm", LowerGemm},
    {"GlobalAveragePool", LowerGlobalAveragePool},
    {"Greater", LowerComparison},
    {"GreaterOrEqual", LowerComparison},
    {"HardSigmoid", LowerHardSigmoid},
    {"HardSwish", LowerActivation},
    {"Identity", LowerIdentity},
    {"LayerNormalization", LowerLayerNormalization},
    {"LeakyRelu", LowerLeakyRelu},
    {"Less", LowerComparison},
    {"LessOrEqual", LowerComparison},
    {"Linear", LowerLinear},
    {"Log", LowerUnary},
    {"LogSoftmax", LowerSoftmax},
    {"MatMul", LowerMatMul},
    {"MaxPool", LowerMaxPool},
    {"Mul", LowerArithmetic},
    {"Neg", LowerUnary},
    {"Not", LowerUnary},
    {"Or", LowerComparison},
    {"Pad", LowerPad},
    {"Pow", LowerPow},
    {"Reciprocal", LowerUnary},
    {"ReduceMax", LowerReduce},
    {"ReduceMean", LowerReduce},
    {"ReduceMin", LowerReduce},
    {"ReduceSum", LowerReduce},
    {"Relu", LowerActivation},
    {"Reshape", LowerReshape},
    {"Round", LowerUnary},
    {"Sigmoid", LowerUnary},
    {"Sign", LowerUnary},
    {"Silu", LowerActivation},
    {"Sin", LowerUnary},
    {"Slice", LowerSlice},
    {"Softmax", LowerSoftmax},
    {"Softplus", LowerUnary},
    {"Split", LowerSplit},
    {"Sqrt", LowerUnary},
    {"Squeeze", LowerSqueeze},
    {"Sub", LowerArithmetic},
    {"Tanh", LowerUnary},
    {"Transpose", LowerTranspose},
    {"Unsqueeze", LowerUnsqueeze},
    {"Where", LowerWhere},
});
static_assert(std::ranges::is_sorted(kRules, {}, &TableEntry::op));

}  // namespace

Rule FindRule(std::string_view domain, std::string_view op) {
  if (!domain.empty() && domain != "ai.onnx" && domain != kFusedDomain) {
    return nullptr;
  }
  const auto found = std::ranges::lower_bound(kRules, op, {}, &TableEntry::op);
  return found != kRules.end() && found->op == op ? found->rule : nullptr;
}

Result<Program> Lower(const model::Graph& original) {
  const model::Graph graph = Fuse(original);
  Lowering lowering(graph);
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
    const model::Node& node = graph.nodes[i];
    lowering.Begin(i);
    const Rule rule = FindRule(node.domain, node.op);
    if (rule == nullptr) {
      return lowering.Unsupported("no rule for this operator");
    }
    ASSAY_TRY(lowering.CheckOperands());
    ASSAY_TRY(rule(lowering, node));
    ASSAY_TRY(lowering.CheckResults());
  }
  ASSAY_ASSIGN(Program program, std::move(lowering).Take());
  ASSAY_TRY(Validate(program, "lowered program"));
  return program;
}

}  // namespace assay::aten
