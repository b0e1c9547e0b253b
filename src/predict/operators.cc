#include "predict/operators.h"

#include <algorithm>
#include <array>
#include <bit>

namespace assay::predict {
namespace {

using model::Graph;
using model::Node;

constexpr std::uint64_t kT = kTranscendental;

const tensor::Shape& ShapeOf(const Graph& graph, model::ValueId id) {
  return graph.values[static_cast<std::size_t>(id)].type.shape;
}

bool Has(const Node& node, std::size_t input) {
  return node.inputs.size() > input && node.inputs[input] != model::kNone;
}

/// So many operations for each element that comes out.
template <std::uint64_t kEach>
std::uint64_t PerOutput(const Graph& graph, const Node& node) {
  return kEach * OutputElements(graph, node);
}

/// So many operations for each element of the first input.
template <std::uint64_t kEach>
std::uint64_t PerInput(const Graph& graph, const Node& node) {
  return kEach * InputElements(graph, node, 0);
}

/// One for each operand beyond the first, and the division of a mean.
std::uint64_t Variadic(const Graph& graph, const Node& node) {
  const std::uint64_t each = node.inputs.size() - (node.op == "Mean" ? 0 : 1);
  return each * OutputElements(graph, node);
}

/// An addition of the bias to each element that comes out.
template <std::size_t kBias>
std::uint64_t Bias(const Graph& graph, const Node& node) {
  return Has(node, kBias) ? OutputElements(graph, node) : 0;
}

/// Scale and addition of what is added, where there are any.
std::uint64_t GemmEnd(const Graph& graph, const Node& node) {
  const std::uint64_t each = (Has(node, 2) ? 1U : 0U) + (node.Float("alpha", 1) != 1 ? 1U : 0U) +
                             (Has(node, 2) && node.Float("beta", 1) != 1 ? 1U : 0U);
  return each * OutputElements(graph, node);
}

/// Requantisation: a multiplication, a rounding, a zero point, two bounds.
std::uint64_t Requantise(const Graph& graph, const Node& node) {
  return 5 * OutputElements(graph, node) + (node.op == "QLinearConv" ? Bias<8>(graph, node) : 0);
}

/// x / (1 + exp(-x)) and kin by the formula; the tanh form adds a cube and its scaling.
std::uint64_t Gelu(const Graph& graph, const Node& node) {
  const std::uint64_t each = node.String("approximate", "none") == "tanh" ? kT + 8 : kT + 4;
  return each * OutputElements(graph, node);
}

/// Comparisons or additions over each window.
std::uint64_t Pool(const Graph& graph, const Node& node) {
  std::uint64_t window = 1;
  for (const std::int64_t size : node.Ints("kernel_shape")) {
    window *= static_cast<std::uint64_t>(size);
  }
  return window * OutputElements(graph, node);
}

/// Multiply-adds over the corners that an output lies between: 2 to each resized axis for linear,
/// 4 for cubic, none for nearest.
std::uint64_t Resize(const Graph& graph, const Node& node) {
  const std::string mode = node.String("mode", "nearest");
  if (mode == "nearest") {
    return 0;
  }
  const tensor::Shape& in = ShapeOf(graph, node.inputs[0]);
  const tensor::Shape& out = ShapeOf(graph, node.outputs[0]);
  std::uint64_t corners = 1;
  for (std::size_t axis = 0; axis < in.size(); ++axis) {
    corners *= in[axis] == out[axis] ? 1 : mode == "cubic" ? 4 : 2;
  }
  return corners == 1 ? 0 : 2 * corners * OutputElements(graph, node);
}

std::uint64_t GridSample(const Graph& graph, const Node& node) {
  const std::string mode = node.String("mode", "linear");
  const std::uint64_t axes = ShapeOf(graph, node.inputs[0]).size() - 2;
  const std::uint64_t corners = mode == "nearest" ? 1
                                : mode == "cubic" ? 1U << (2 * axes)
                                                  : 1U << axes;
  return 2 * corners * OutputElements(graph, node);
}

/// Softmax of the scores: maximum, difference, exponential, sum, quotient; and their scaling.
std::uint64_t AttentionSoftmax(const Graph& graph, const Node& node) {
  const tensor::Shape& queries = ShapeOf(graph, node.inputs[0]);
  const tensor::Shape& keys = ShapeOf(graph, node.inputs[1]);
  const std::int64_t heads = queries.size() == 4 ? queries[1] : node.Int("q_num_heads", 1);
  const std::int64_t past = Has(node, 4) ? ShapeOf(graph, node.inputs[4])[2] : 0;
  const std::int64_t scores =
      queries[0] * heads * queries[queries.size() - 2] * (keys[keys.size() - 2] + past);
  return (kT + 5) * static_cast<std::uint64_t>(scores);
}

/// The gates' functions and the state's update, for each element of the hidden state and step.
std::uint64_t Cell(const Graph& graph, const Node& node) {
  const tensor::Shape& input = ShapeOf(graph, node.inputs[0]);
  const tensor::Shape& recurrent = ShapeOf(graph, node.inputs[2]);
  const auto states = static_cast<std::uint64_t>(input[0] * input[1] * recurrent[0] * recurrent[2]);
  const std::uint64_t each = node.op == "LSTM"  ? 5 * kT + 17
                             : node.op == "GRU" ? 3 * kT + 14
                                                : kT + 2;
  return each * states;
}

/// Comparisons of a heap as large as what comes out.
std::uint64_t TopK(const Graph& graph, const Node& node) {
  const std::int64_t axis = node.Int("axis", -1);
  const tensor::Shape& out = ShapeOf(graph, node.outputs[0]);
  const std::int64_t at = axis < 0 ? axis + static_cast<std::int64_t>(out.size()) : axis;
  const auto k = static_cast<std::uint64_t>(out[static_cast<std::size_t>(at)]);
  return InputElements(graph, node, 0) * static_cast<std::uint64_t>(std::bit_width(k));
}

/// Squares summed over a window of channels, then a power and a quotient.
std::uint64_t Lrn(const Graph& graph, const Node& node) {
  const auto size = static_cast<std::uint64_t>(node.Int("size", 1));
  return (2 * size + kT + 3) * OutputElements(graph, node);
}

// Counted for each element: 1 for an addition, product, comparison, bound or rounding, 4 for a
// quotient or root only where it is the operator itself, kT for a transcendental function.
constexpr auto kOperators = std::to_array<Operator>({
    {"Abs", Kind::kVector, PerOutput<1>},
    {"Acos", Kind::kVector, PerOutput<kT>},
    {"Acosh", Kind::kVector, PerOutput<kT>},
    {"Add", Kind::kVector, PerOutput<1>},
    {"AffineGrid", Kind::kVector, PerOutput<6>},
    {"And", Kind::kVector, PerOutput<1>},
    {"ArgMax", Kind::kVector, PerInput<1>},
    {"ArgMin", Kind::kVector, PerInput<1>},
    {"Asin", Kind::kVector, PerOutput<kT>},
    {"Asinh", Kind::kVector, PerOutput<kT>},
    {"Atan", Kind::kVector, PerOutput<kT>},
    {"Atanh", Kind::kVector, PerOutput<kT>},
    {"Attention", Kind::kMatrix, AttentionSoftmax},
    {"AveragePool", Kind::kVector, Pool},
    {"BatchNormalization", Kind::kVector, PerOutput<2>},
    {"BitShift", Kind::kVector, PerOutput<1>},
    {"BitwiseAnd", Kind::kVector, PerOutput<1>},
    {"BitwiseNot", Kind::kVector, PerOutput<1>},
    {"BitwiseOr", Kind::kVector, PerOutput<1>},
    {"BitwiseXor", Kind::kVector, PerOutput<1>},
    {"Cast", Kind::kMove},
    {"CastLike", Kind::kMove},
    {"Ceil", Kind::kVector, PerOutput<1>},
    {"Celu", Kind::kVector, PerOutput<kT + 4>},
    {"Clip", Kind::kVector, PerOutput<2>},
    {"Concat", Kind::kMove},
    {"Constant", Kind::kView},
    {"ConstantOfShape", Kind::kMove},
    {"Conv", Kind::kMatrix, Bias<2>},
    {"ConvInteger", Kind::kMatrix},
    {"ConvTranspose", Kind::kMatrix, Bias<2>},
    {"Cos", Kind::kVector, PerOutput<kT>},
    {"Cosh", Kind::kVector, PerOutput<kT>},
    {"CumProd", Kind::kVector, PerOutput<1>},
    {"CumSum", Kind::kVector, PerOutput<1>},
    {"DeformConv", Kind::kMatrix, Bias<3>},
    {"DepthToSpace", Kind::kMove},
    {"DequantizeLinear", Kind::kVector, PerOutput<2>},
    {"Div", Kind::kVector, PerOutput<4>},
    {"Dropout", Kind::kView},
    {"DynamicQuantizeLinear", Kind::kVector, PerInput<5>},
    {"Einsum", Kind::kMatrix},
    {"Elu", Kind::kVector, PerOutput<kT + 3>},
    {"Equal", Kind::kVector, PerOutput<1>},
    {"Erf", Kind::kVector, PerOutput<kT>},
    {"Exp", Kind::kVector, PerOutput<kT>},
    {"Expand", Kind::kMove},
    {"EyeLike", Kind::kMove, nullptr, Reads::kShape},
    {"Flatten", Kind::kView},
    {"Floor", Kind::kVector, PerOutput<1>},
    {"GRU", Kind::kMatrix, Cell},
    {"Gather", Kind::kMove, nullptr, Reads::kPicked},
    {"GatherElements", Kind::kMove, nullptr, Reads::kPicked},
    {"GatherND", Kind::kMove, nullptr, Reads::kPicked},
    {"Gelu", Kind::kVector, Gelu},
    {"Gemm", Kind::kMatrix, GemmEnd},
    {"GlobalAveragePool", Kind::kVector, PerInput<1>},
    {"GlobalLpPool", Kind::kVector, PerInput<2>},
    {"GlobalMaxPool", Kind::kVector, PerInput<1>},
    {"Greater", Kind::kVector, PerOutput<1>},
    {"GreaterOrEqual", Kind::kVector, PerOutput<1>},
    {"GridSample", Kind::kVector, GridSample},
    {"GroupNormalization", Kind::kVector, PerOutput<7>},
    {"HardSigmoid", Kind::kVector, PerOutput<4>},
    {"HardSwish", Kind::kVector, PerOutput<5>},
    {"Hardmax", Kind::kVector, PerInput<2>},
    {"Identity", Kind::kView},
    {"InstanceNormalization", Kind::kVector, PerOutput<7>},
    {"IsInf", Kind::kVector, PerOutput<1>},
    {"IsNaN", Kind::kVector, PerOutput<1>},
    {"LRN", Kind::kVector, Lrn},
    {"LSTM", Kind::kMatrix, Cell},
    {"LayerNormalization", Kind::kVector, PerOutput<7>},
    {"LeakyRelu", Kind::kVector, PerOutput<2>},
    {"Less", Kind::kVector, PerOutput<1>},
    {"LessOrEqual", Kind::kVector, PerOutput<1>},
    {"Log", Kind::kVector, PerOutput<kT>},
    {"LogSoftmax", Kind::kVector, PerOutput<kT + 4>},
    {"LpNormalization", Kind::kVector, PerOutput<3>},
    {"LpPool", Kind::kVector, Pool},
    {"MatMul", Kind::kMatrix},
    {"MatMulInteger", Kind::kMatrix},
    {"Max", Kind::kVector, Variadic},
    {"MaxPool", Kind::kVector, Pool},
    {"Mean", Kind::kVector, Variadic},
    {"MeanVarianceNormalization", Kind::kVector, PerOutput<5>},
    {"Min", Kind::kVector, Variadic},
    {"Mish", Kind::kVector, PerOutput<3 * kT + 2>},
    {"Mod", Kind::kVector, PerOutput<4>},
    {"Mul", Kind::kVector, PerOutput<1>},
    {"Neg", Kind::kVector, PerOutput<1>},
    {"NonMaxSuppression", Kind::kVector, PerInput<10>},
    {"NonZero", Kind::kVector, PerInput<1>},
    {"Not", Kind::kVector, PerOutput<1>},
    {"OneHot", Kind::kMove},
    {"Or", Kind::kVector, PerOutput<1>},
    {"PRelu", Kind::kVector, PerOutput<2>},
    {"Pad", Kind::kMove},
    {"Pow", Kind::kVector, PerOutput<2 * kT>},
    {"QLinearConv", Kind::kMatrix, Requantise},
    {"QLinearMatMul", Kind::kMatrix, Requantise},
    {"QuantizeLinear", Kind::kVector, PerOutput<5>},
    {"RMSNormalization", Kind::kVector, PerOutput<4>},
    {"RNN", Kind::kMatrix, Cell},
    {"Range", Kind::kMove, nullptr, Reads::kShape},
    {"Reciprocal", Kind::kVector, PerOutput<4>},
    {"ReduceL1", Kind::kVector, PerInput<2>},
    {"ReduceL2", Kind::kVector, PerInput<2>},
    {"ReduceLogSum", Kind::kVector, PerInput<1>},
    {"ReduceLogSumExp", Kind::kVector, PerInput<kT + 2>},
    {"ReduceMax", Kind::kVector, PerInput<1>},
    {"ReduceMean", Kind::kVector, PerInput<1>},
    {"ReduceMin", Kind::kVector, PerInput<1>},
    {"ReduceProd", Kind::kVector, PerInput<1>},
    {"ReduceSum", Kind::kVector, PerInput<1>},
    {"ReduceSumSquare", Kind::kVector, PerInput<2>},
    {"Relu", Kind::kVector, PerOutput<1>},
    {"Reshape", Kind::kView},
    {"Resize", Kind::kVector, Resize},
    {"Round", Kind::kVector, PerOutput<1>},
    {"ScatterElements", Kind::kMove},
    {"ScatterND", Kind::kMove},
    {"Selu", Kind::kVector, PerOutput<kT + 4>},
    {"Shape", Kind::kView},
    {"Shrink", Kind::kVector, PerOutput<3>},
    {"Sigmoid", Kind::kVector, PerOutput<kT + 3>},
    {"Sign", Kind::kVector, PerOutput<1>},
    {"Sin", Kind::kVector, PerOutput<kT>},
    {"Sinh", Kind::kVector, PerOutput<kT>},
    {"Size", Kind::kView},
    {"Slice", Kind::kMove, nullptr, Reads::kPicked},
    {"Softmax", Kind::kVector, PerOutput<kT + 4>},
    {"Softplus", Kind::kVector, PerOutput<2 * kT + 1>},
    {"Softsign", Kind::kVector, PerOutput<3>},
    {"SpaceToDepth", Kind::kMove},
    {"Split", Kind::kMove, nullptr, Reads::kPicked},
    {"Sqrt", Kind::kVector, PerOutput<4>},
    {"Squeeze", Kind::kView},
    {"Sub", Kind::kVector, PerOutput<1>},
    {"Sum", Kind::kVector, Variadic},
    {"Swish", Kind::kVector, PerOutput<kT + 4>},
    {"Tan", Kind::kVector, PerOutput<kT>},
    {"Tanh", Kind::kVector, PerOutput<kT>},
    {"ThresholdedRelu", Kind::kVector, PerOutput<1>},
    {"Tile", Kind::kMove},
    {"TopK", Kind::kVector, TopK},
    {"Transpose", Kind::kMove},
    {"Trilu", Kind::kMove},
    {"Unsqueeze", Kind::kView},
    {"Upsample", Kind::kVector, Resize},
    {"Where", Kind::kVector, PerOutput<1>},
    {"Xor", Kind::kVector, PerOutput<1>},
});
static_assert(std::ranges::is_sorted(kOperators, {}, &Operator::op));

}  // namespace

const Operator* FindOperator(const model::Node& node) {
  if (!node.domain.empty() && node.domain != "ai.onnx") {
    return nullptr;
  }
  const auto found = std::ranges::lower_bound(kOperators, node.op, {}, &Operator::op);
  return found != kOperators.end() && found->op == node.op ? &*found : nullptr;
}

std::vector<std::string_view> KnownOperators() {
  std::vector<std::string_view> names;
  for (const Operator& row : kOperators) {
    names.push_back(row.op);
  }
  return names;
}

std::uint64_t OutputElements(const model::Graph& graph, const model::Node& node) {
  return *tensor::ElementCount(ShapeOf(graph, node.outputs[0]));
}

std::uint64_t InputElements(const model::Graph& graph, const model::Node& node, std::size_t input) {
  return *tensor::ElementCount(ShapeOf(graph, node.inputs[input]));
}

}  // namespace assay::predict
