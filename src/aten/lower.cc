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
    {"Acos", LowerUnary},
    {"Acosh", LowerUnary},
    {"Add", LowerArithmetic},
    {"AffineGrid", LowerAffineGrid},
    {"And", LowerComparison},
    {"ArgMax", LowerArgExtremum},
    {"ArgMin", LowerArgExtremum},
    {"Asin", LowerUnary},
    {"Asinh", LowerUnary},
    {"Atan", LowerUnary},
    {"Atanh", LowerUnary},
    {"Attention", LowerAttention},
    {"AveragePool", LowerAveragePool},
    {"BatchNormalization", LowerBatchNormalization},
    {"BitShift", LowerBitShift},
    {"BitwiseAnd", LowerComparison},
    {"BitwiseNot", LowerUnary},
    {"BitwiseOr", LowerComparison},
    {"BitwiseXor", LowerComparison},
    {"Cast", LowerCast},
    {"CastLike", LowerCast},
    {"Ceil", LowerUnary},
    {"Celu", LowerActivation},
    {"Clip", LowerClip},
    {"Col2Im", LowerCol2Im},
    {"Concat", LowerConcat},
    {"ConstantOfShape", LowerConstantOfShape},
    {"Conv", LowerConv},
    {"ConvTranspose", LowerConvTranspose},
    {"Cos", LowerUnary},
    {"Cosh", LowerUnary},
    {"CumProd", LowerCumulative},
    {"CumSum", LowerCumulative},
    {"DepthToSpace", LowerDepthToSpace},
    {"DequantizeLinear", LowerDequantizeLinear},
    {"Det", LowerUnary},
    {"Div", LowerArithmetic},
    {"Dropout", LowerDropout},
    {"Einsum", LowerEinsum},
    {"Elu", LowerActivation},
    {"Equal", LowerComparison},
    {"Erf", LowerUnary},
    {"Exp", LowerUnary},
    {"Expand", LowerExpand},
    {"EyeLike", LowerEyeLike},
    {"Flatten", LowerFlatten},
    {"Floor", LowerUnary},
    {"GRU", LowerRecurrent},
    {"Gather", LowerGather},
    {"GatherElements", LowerGatherElements},
    {"GatherND", LowerGatherNd},
    {"Gelu", LowerGelu},
    {"Gemm", LowerGemm},
    {"GlobalAveragePool", LowerGlobalPool},
    {"GlobalLpPool", LowerGlobalLpPool},
    {"GlobalMaxPool", LowerGlobalPool},
    {"Greater", LowerComparison},
    {"GreaterOrEqual", LowerComparison},
    {"GridSample", LowerGridSample},
    {"GroupNormalization", LowerGroupNormalization},
    {"HardSigmoid", LowerHardSigmoid},
    {"HardSwish", LowerActivation},
    {"Hardmax", LowerHardmax},
    {"Identity", LowerIdentity},
    {"InstanceNormalization", LowerInstanceNormalization},
    {"IsInf", LowerIsInf},
    {"IsNaN", LowerUnary},
    {"LRN", LowerLrn},
    {"LSTM", LowerRecurrent},
    {"LayerNormalization", LowerLayerNormalization},
    {"LeakyRelu", LowerActivation},
    {"Less", LowerComparison},
    {"LessOrEqual", LowerComparison},
    {"Linear", LowerLinear},
    {"Log", LowerUnary},
    {"LogSoftmax", LowerSoftmax},
    {"LpNormalization", LowerLpNormalization},
    {"LpPool", LowerLpPool},
    {"MatMul", LowerMatMul},
    {"Max", LowerVariadic},
    {"MaxPool", LowerMaxPool},
    {"Mean", LowerVariadic},
    {"MeanVarianceNormalization", LowerMeanVarianceNormalization},
    {"Min", LowerVariadic},
    {"Mish", LowerActivation},
    {"Mod", LowerMod},
    {"Mul", LowerArithmetic},
    {"Neg", LowerUnary},
    {"Not", LowerUnary},
    {"OneHot", LowerOneHot},
    {"Or", LowerComparison},
    {"PRelu", LowerPRelu},
    {"Pad", LowerPad},
    {"Pow", LowerPow},
    {"QuantizeLinear", LowerQuantizeLinear},
    {"RMSNormalization", LowerRmsNormalization},
    {"RNN", LowerRecurrent},
    {"Reciprocal", LowerUnary},
    {"ReduceL1", LowerReduceNorm},
    {"ReduceL2", LowerReduceNorm},
    {"ReduceLogSum", LowerReduce},
    {"ReduceLogSumExp", LowerReduce},
    {"ReduceMax", LowerReduce},
    {"ReduceMean", LowerReduce},
    {"ReduceMin", LowerReduce},
    {"ReduceProd", LowerReduceProd},
    {"ReduceSum", LowerReduce},
    {"ReduceSumSquare", LowerReduce},
    {"Relu", LowerActivation},
    {"Reshape", LowerReshape},
    {"Resize", LowerResize},
    {"Round", LowerUnary},
    {"ScatterElements", LowerScatterElements},
    {"ScatterND", LowerScatterNd},
    {"Selu", LowerSelu},
    {"Shrink", LowerShrink},
    {"Sigmoid", LowerUnary},
    {"Sign", LowerUnary},
    {"Silu", LowerActivation},
    {"Sin", LowerUnary},
    {"Sinh", LowerUnary},
    {"Slice", LowerSlice},
    {"Softmax", LowerSoftmax},
    {"Softplus", LowerUnary},
    {"Softsign", LowerSoftsign},
    {"SpaceToDepth", LowerSpaceToDepth},
    {"Split", LowerSplit},
    {"Sqrt", LowerUnary},
    {"Squeeze", LowerSqueeze},
    {"Sub", LowerArithmetic},
    {"Sum", LowerVariadic},
    {"Swish", LowerSwish},
    {"Tan", LowerUnary},
    {"Tanh", LowerUnary},
    {"ThresholdedRelu", LowerThresholdedRelu},
    {"Tile", LowerTile},
    {"TopK", LowerTopK},
    {"Transpose", LowerTranspose},
    {"Trilu", LowerTrilu},
    {"Unsqueeze", LowerUnsqueeze},
    {"Where", LowerWhere},
    {"Xor", LowerComparison},
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

std::vector<std::string_view> KnownOperators() {
  std::vector<std::string_view> names;
  for (const TableEntry& entry : kRules) {
    names.push_back(entry.op);
  }
  return names;
}

Result<Program> Lower(const model::Graph& graph) {
  ASSAY_ASSIGN(Lowered lowered, LowerWithOrigins(graph));
  return std::move(lowered.program);
}

namespace {

/// Before patterns are looked for, which know the newer forms.
Status CheckForms(const model::Graph& graph) {
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
    if (const std::string_view why = OldFormOf(graph, graph.nodes[i]); !why.empty()) {
      Lowering at(graph);
      at.Begin(i);
      return at.Unsupported(why);
    }
  }
  return {};
}

}  // namespace

Result<Lowered> LowerWithOrigins(const model::Graph& original) {
  if (original.unread) {
    return Error{Code::kUnsupported,
                 "the lowering to PyTorch cannot read it: " + original.unread->message,
                 original.unread->hint};
  }
  ASSAY_TRY(CheckForms(original));
  model::Graph graph = Fuse(original);
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
  ASSAY_TRY(lowering.BindOutputs());
  std::vector<model::ValueId> origins = lowering.Origins();
  Program program = std::move(lowering).Take();
  ASSAY_TRY(Validate(program, "lowered program"));
  return Lowered{std::move(program), std::move(graph), std::move(origins)};
}

}  // namespace assay::aten
