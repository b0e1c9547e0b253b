#include "aten/fuse.h"

#include <cmath>
#include <numbers>

#include "aten/fuse_attention.h"
#include "aten/graph_editor.h"

namespace assay::aten {
namespace {

using model::ValueId;

/// MatMul(x, W) or MatMul(x, Transpose(W)) with a matrix of weights, then Add(bias) if that
/// follows.
void FuseLinear(GraphEditor& graph, std::size_t matmul) {
  if (graph.node(matmul).op != "MatMul") {
    return;
  }
  ValueId weight = graph.node(matmul).inputs[1];
  std::int64_t transposed = 0;
  const std::vector<std::int64_t> swapped = {1, 0};
  if (const auto transpose = graph.MadeBy(weight, "Transpose");
      transpose && graph.node(*transpose).Ints("perm", swapped) == swapped) {
    weight = graph.node(*transpose).inputs[0];
    transposed = 1;
  }
  if (!graph.IsWeight(weight) || graph.value(weight).type.shape.size() != 2) {
    return;
  }
  model::Node linear{"", "Linear", std::string(kFusedDomain), {}, {}, {{"transB", transposed}}};
  linear.inputs = {graph.node(matmul).inputs[0], weight};
  std::size_t last = matmul;
  const ValueId product = graph.node(matmul).outputs[0];
  if (const auto add = graph.OnlyReader(product, "Add")) {
    const ValueId bias = graph.Other(*add, product);
    if (graph.IsWeight(bias) && graph.value(bias).type.shape.size() == 1 &&
        graph.value(bias).type.shape[0] == graph.value(product).type.shape.back()) {
      linear.inputs.push_back(bias);
      last = *add;
    }
  }
  graph.Replace(last, std::move(linear));
}

/// The x of Erf(x / sqrt(2)), kNone for any other operand.
ValueId UnscaledErfOperand(const GraphEditor& graph, ValueId scaled) {
  if (const auto div = graph.MadeBy(scaled, "Div")) {
    const auto& inputs = graph.node(*div).inputs;
    return graph.IsNumber(inputs[1], std::numbers::sqrt2) ? inputs[0] : model::kNone;
  }
  if (const auto mul = graph.MadeBy(scaled, "Mul")) {
    for (const ValueId id : graph.node(*mul).inputs) {
      if (graph.IsNumber(graph.Other(*mul, id), std::numbers::sqrt2 / 2)) {
        return id;
      }
    }
  }
  return model::kNone;
}

/// Whether `id` is 0.5 * x.
bool IsHalfOf(const GraphEditor& graph, ValueId id, ValueId x) {
  const auto mul = graph.MadeBy(id, "Mul");
  return mul &&
         ((graph.node(*mul).inputs[0] == x && graph.IsNumber(graph.node(*mul).inputs[1], 0.5)) ||
          (graph.node(*mul).inputs[1] == x && graph.IsNumber(graph.node(*mul).inputs[0], 0.5)));
}

/// 0.5 * x * (1 + erf(x / sqrt(2))), in any order of the three factors.
/// Source  Hendrycks and Gimpel, arXiv 1606.08415, section 2.
void FuseGelu(GraphEditor& graph, std::size_t erf) {
  if (graph.node(erf).op != "Erf") {
    return;
  }
  const ValueId x = UnscaledErfOperand(graph, graph.node(erf).inputs[0]);
  const auto add = graph.OnlyReader(graph.node(erf).outputs[0], "Add");
  if (x == model::kNone || !add ||
      !graph.IsNumber(graph.Other(*add, graph.node(erf).outputs[0]), 1.0)) {
    return;
  }
  const ValueId sum = graph.node(*add).outputs[0];
  const auto first = graph.OnlyReader(sum, "Mul");
  if (!first) {
    return;
  }
  const model::Node gelu{"", "Gelu", "", {x}, {}, {}};
  const ValueId factor = graph.Other(*first, sum);
  if (IsHalfOf(graph, factor, x)) {
    graph.Replace(*first, gelu);
    return;
  }
  const ValueId product = graph.node(*first).outputs[0];
  const auto second = graph.OnlyReader(product, "Mul");
  if (second) {
    const ValueId last = graph.Other(*second, product);
    if ((factor == x && graph.IsNumber(last, 0.5)) || (last == x && graph.IsNumber(factor, 0.5))) {
      graph.Replace(*second, gelu);
    }
  }
}

/// x * sigmoid(x) and x * hardsigmoid(x) with hard-swish's slope.
void FuseSwish(GraphEditor& graph, std::size_t mul) {
  if (graph.node(mul).op != "Mul") {
    return;
  }
  for (const ValueId gate : graph.node(mul).inputs) {
    const ValueId x = graph.Other(mul, gate);
    if (const auto sigmoid = graph.MadeBy(gate, "Sigmoid");
        sigmoid && graph.node(*sigmoid).inputs[0] == x) {
      graph.Replace(mul, {"", "Silu", std::string(kFusedDomain), {x}, {}, {}});
      return;
    }
    if (const auto hard = graph.MadeBy(gate, "HardSigmoid");
        hard && graph.node(*hard).inputs[0] == x &&
        std::abs(graph.node(*hard).Float("alpha", 0.2) - 1.0 / 6) < 1e-6) {
      graph.Replace(mul, {"", "HardSwish", "", {x}, {}, {}});
      return;
    }
  }
}

/// Whether `node` is a mean over the last dimension that keeps it.
bool IsMeanOverLast(const GraphEditor& graph, std::size_t node) {
  const model::Node& mean = graph.node(node);
  const auto rank = static_cast<std::int64_t>(graph.value(mean.inputs[0]).type.shape.size());
  std::vector<std::int64_t> axes = mean.Ints("axes");
  if (mean.inputs.size() > 1) {
    const auto axis = graph.Number(mean.inputs[1]);
    axes = axis ? std::vector<std::int64_t>{static_cast<std::int64_t>(*axis)} : axes;
  }
  return mean.Int("keepdims", 1) == 1 && axes.size() == 1 && (axes[0] == -1 || axes[0] == rank - 1);
}

/// The x of x - mean(x), kNone when `id` is no such difference.
ValueId Centred(const GraphEditor& graph, ValueId id) {
  const auto sub = graph.MadeBy(id, "Sub");
  const auto mean = sub ? graph.MadeBy(graph.node(*sub).inputs[1], "ReduceMean") : std::nullopt;
  if (!mean || !IsMeanOverLast(graph, *mean)) {
    return model::kNone;
  }
  const ValueId x = graph.node(*sub).inputs[0];
  return graph.node(*mean).inputs[0] == x ? x : model::kNone;
}

/// The d of sqrt(mean(d * d) + eps), with eps; kNone for anything else.
ValueId DeviationOf(const GraphEditor& graph, ValueId root, double& eps) {
  const auto sqrt = graph.MadeBy(root, "Sqrt");
  const auto add = sqrt ? graph.MadeBy(graph.node(*sqrt).inputs[0], "Add") : std::nullopt;
  const auto mean = add ? graph.MadeBy(graph.node(*add).inputs[0], "ReduceMean") : std::nullopt;
  const auto number = add ? graph.Number(graph.node(*add).inputs[1]) : std::nullopt;
  if (!mean || !number || !IsMeanOverLast(graph, *mean)) {
    return model::kNone;
  }
  eps = *number;
  const ValueId square = graph.node(*mean).inputs[0];
  if (const auto pow = graph.MadeBy(square, "Pow")) {
    return graph.IsNumber(graph.node(*pow).inputs[1], 2.0) ? graph.node(*pow).inputs[0]
                                                           : model::kNone;
  }
  const auto mul = graph.MadeBy(square, "Mul");
  const bool same = mul && graph.node(*mul).inputs[0] == graph.node(*mul).inputs[1];
  return same ? graph.node(*mul).inputs[0] : model::kNone;
}

/// (x - mean(x)) / sqrt(mean((x - mean(x))^2) + eps), then * weight and + bias.
/// Source  Ba, Kiros, Hinton, arXiv 1607.06450, equation 4.
void FuseLayerNorm(GraphEditor& graph, std::size_t div) {
  if (graph.node(div).op != "Div") {
    return;
  }
  double eps = 0;
  const ValueId x = Centred(graph, graph.node(div).inputs[0]);
  const ValueId deviation = DeviationOf(graph, graph.node(div).inputs[1], eps);
  if (x == model::kNone || deviation == model::kNone || Centred(graph, deviation) != x) {
    return;
  }
  const auto mul = graph.OnlyReader(graph.node(div).outputs[0], "Mul");
  const auto add = mul ? graph.OnlyReader(graph.node(*mul).outputs[0], "Add") : std::nullopt;
  if (!add) {
    return;
  }
  const ValueId weight = graph.Other(*mul, graph.node(div).outputs[0]);
  const ValueId bias = graph.Other(*add, graph.node(*mul).outputs[0]);
  const tensor::Shape width = {graph.value(x).type.shape.back()};
  if (graph.value(weight).type.shape == width && graph.value(bias).type.shape == width) {
    graph.Replace(*add, {"", "LayerNormalization", "", {x, weight, bias}, {}, {{"epsilon", eps}}});
  }
}

void ForEachNode(GraphEditor& graph, void (*fuse)(GraphEditor&, std::size_t)) {
  for (std::size_t i = 0; i < graph.node_count(); ++i) {
    fuse(graph, i);
  }
}

}  // namespace

model::Graph Fuse(const model::Graph& graph) {
  GraphEditor editor(graph);
  ForEachNode(editor, FuseLayerNorm);
  ForEachNode(editor, FuseGelu);
  ForEachNode(editor, FuseSwish);
  ForEachNode(editor, FuseAttention);
  ForEachNode(editor, FuseLinear);
  return std::move(editor).Take();
}

}  // namespace assay::aten
