#include "aten/fuse.h"

#include <cmath>
#include <numbers>

#include "aten/fuse_attention.h"
#include "aten/fuse_norm.h"
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

/// The operand beside the number `number` in a product or sum, kNone when there is none.
ValueId OperandBeside(const GraphEditor& graph, std::string_view op, ValueId made, double number) {
  if (const auto node = graph.MadeBy(made, op)) {
    for (const ValueId id : graph.node(*node).inputs) {
      if (graph.IsNumber(graph.Other(*node, id), number)) {
        return id;
      }
    }
  }
  return model::kNone;
}

/// The x of Erf(x / sqrt(2)), kNone for any other operand.
ValueId UnscaledErfOperand(const GraphEditor& graph, ValueId scaled) {
  if (const auto div = graph.MadeBy(scaled, "Div")) {
    const auto& inputs = graph.node(*div).inputs;
    return graph.IsNumber(inputs[1], std::numbers::sqrt2) ? inputs[0] : model::kNone;
  }
  return OperandBeside(graph, "Mul", scaled, std::numbers::sqrt2 / 2);
}

/// Whether `id` is x^3, as a power or as two products.
bool IsCubeOf(const GraphEditor& graph, ValueId id, ValueId x) {
  if (const auto pow = graph.MadeBy(id, "Pow")) {
    return graph.node(*pow).inputs[0] == x && graph.IsNumber(graph.node(*pow).inputs[1], 3.0);
  }
  const auto mul = graph.MadeBy(id, "Mul");
  const ValueId square = mul ? graph.Other(*mul, x) : model::kNone;
  const auto inner = graph.MadeBy(square, "Mul");
  return inner && graph.node(*inner).inputs == std::vector<ValueId>{x, x} &&
         (graph.node(*mul).inputs[0] == x || graph.node(*mul).inputs[1] == x);
}

/// The x of Tanh(sqrt(2 / pi) * (x + 0.044715 * x^3)), kNone for any other operand.
ValueId UnscaledTanhOperand(const GraphEditor& graph, ValueId scaled) {
  const double scale = std::numbers::sqrt2 * std::numbers::inv_sqrtpi;
  const auto sum = graph.MadeBy(OperandBeside(graph, "Mul", scaled, scale), "Add");
  if (sum) {
    for (const ValueId x : graph.node(*sum).inputs) {
      const ValueId cube = OperandBeside(graph, "Mul", graph.Other(*sum, x), 0.044715);
      if (cube != model::kNone && IsCubeOf(graph, cube, x)) {
        return x;
      }
    }
  }
  return model::kNone;
}

/// Whether `id` is 0.5 * x.
bool IsHalfOf(const GraphEditor& graph, ValueId id, ValueId x) {
  return OperandBeside(graph, "Mul", id, 0.5) == x;
}

/// Puts `gelu` in place of 0.5 * x * (1 + node), in any order of the three factors.
void ReplaceGelu(GraphEditor& graph, std::size_t node, ValueId x, model::Node gelu) {
  const ValueId made = graph.node(node).outputs[0];
  const auto add = graph.OnlyReader(made, "Add");
  if (x == model::kNone || !add || !graph.IsNumber(graph.Other(*add, made), 1.0)) {
    return;
  }
  const ValueId sum = graph.node(*add).outputs[0];
  const auto first = graph.OnlyReader(sum, "Mul");
  if (!first) {
    return;
  }
  gelu.inputs = {x};
  const ValueId factor = graph.Other(*first, sum);
  if (IsHalfOf(graph, factor, x)) {
    graph.Replace(*first, std::move(gelu));
    return;
  }
  const ValueId product = graph.node(*first).outputs[0];
  const auto second = graph.OnlyReader(product, "Mul");
  if (second) {
    const ValueId last = graph.Other(*second, product);
    if ((factor == x && graph.IsNumber(last, 0.5)) || (last == x && graph.IsNumber(factor, 0.5))) {
      graph.Replace(*second, std::move(gelu));
    }
  }
}

/// 0.5 * x * (1 + erf(x / sqrt(2))).
/// Source  Hendrycks and Gimpel, arXiv 1606.08415, section 2.
void FuseErfGelu(GraphEditor& graph, std::size_t erf) {
  if (graph.node(erf).op == "Erf") {
    ReplaceGelu(graph, erf, UnscaledErfOperand(graph, graph.node(erf).inputs[0]),
                {"", "Gelu", "", {}, {}, {}});
  }
}

/// 0.5 * x * (1 + tanh(sqrt(2 / pi) * (x + 0.044715 * x^3))); the same source.
void FuseTanhGelu(GraphEditor& graph, std::size_t tanh) {
  if (graph.node(tanh).op == "Tanh") {
    ReplaceGelu(graph, tanh, UnscaledTanhOperand(graph, graph.node(tanh).inputs[0]),
                {"", "Gelu", "", {}, {}, {{"approximate", std::string("tanh")}}});
  }
}

/// What x * gate is when the gate is a function of x itself: SiLU, hard-swish, Mish.
model::Node SwishOf(const GraphEditor& graph, ValueId gate, ValueId x) {
  const auto is_of_x = [&](std::optional<std::size_t> node) {
    return node && graph.node(*node).inputs[0] == x;
  };
  if (is_of_x(graph.MadeBy(gate, "Sigmoid"))) {
    return {"", "Silu", std::string(kFusedDomain), {x}, {}, {}};
  }
  if (const auto hard = graph.MadeBy(gate, "HardSigmoid");
      is_of_x(hard) && std::abs(graph.node(*hard).Float("alpha", 0.2) - 1.0 / 6) < 1e-6 &&
      graph.node(*hard).Float("beta", 0.5) == 0.5) {
    return {"", "HardSwish", "", {x}, {}, {}};
  }
  if (const auto tanh = graph.MadeBy(gate, "Tanh");
      tanh && is_of_x(graph.MadeBy(graph.node(*tanh).inputs[0], "Softplus"))) {
    return {"", "Mish", "", {x}, {}, {}};
  }
  return {};
}

void FuseSwish(GraphEditor& graph, std::size_t mul) {
  if (graph.node(mul).op != "Mul") {
    return;
  }
  for (const ValueId gate : graph.node(mul).inputs) {
    model::Node swish = SwishOf(graph, gate, graph.Other(mul, gate));
    if (!swish.op.empty()) {
      graph.Replace(mul, std::move(swish));
      return;
    }
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
  ForEachNode(editor, FuseNorm);
  ForEachNode(editor, FuseErfGelu);
  ForEachNode(editor, FuseTanhGelu);
  ForEachNode(editor, FuseSwish);
  ForEachNode(editor, FuseAttention);
  ForEachNode(editor, FuseLinear);
  return std::move(editor).Take();
}

}  // namespace assay::aten
