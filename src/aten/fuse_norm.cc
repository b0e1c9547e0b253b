#include "aten/fuse_norm.h"

#include <utility>

namespace assay::aten {
namespace {

using model::ValueId;

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

/// The d of d * d or d^2.
ValueId SquareRootOf(const GraphEditor& graph, ValueId square) {
  if (const auto pow = graph.MadeBy(square, "Pow")) {
    return graph.IsNumber(graph.node(*pow).inputs[1], 2.0) ? graph.node(*pow).inputs[0]
                                                           : model::kNone;
  }
  const auto mul = graph.MadeBy(square, "Mul");
  const bool same = mul && graph.node(*mul).inputs[0] == graph.node(*mul).inputs[1];
  return same ? graph.node(*mul).inputs[0] : model::kNone;
}

/// The d of sqrt(mean(d * d) + eps), with eps; kNone for anything else.
ValueId DeviationOf(const GraphEditor& graph, ValueId root, double& eps) {
  const auto sqrt = graph.MadeBy(root, "Sqrt");
  const auto add = sqrt ? graph.MadeBy(graph.node(*sqrt).inputs[0], "Add") : std::nullopt;
  if (!add) {
    return model::kNone;
  }
  for (const ValueId id : graph.node(*add).inputs) {
    const auto mean = graph.MadeBy(id, "ReduceMean");
    const auto number = graph.Number(graph.Other(*add, id));
    if (mean && number && IsMeanOverLast(graph, *mean)) {
      eps = *number;
      return SquareRootOf(graph, graph.node(*mean).inputs[0]);
    }
  }
  return model::kNone;
}

/// The y of 1 / y, kNone for anything else.
ValueId InverseOf(const GraphEditor& graph, ValueId id) {
  if (const auto reciprocal = graph.MadeBy(id, "Reciprocal")) {
    return graph.node(*reciprocal).inputs[0];
  }
  const auto div = graph.MadeBy(id, "Div");
  return div && graph.IsNumber(graph.node(*div).inputs[0], 1.0) ? graph.node(*div).inputs[1]
                                                                : model::kNone;
}

/// The d of the quotient d / sqrt(mean(d * d) + eps), with eps; kNone for anything else.
ValueId NumeratorOf(const GraphEditor& graph, std::size_t quotient, double& eps) {
  const model::Node& node = graph.node(quotient);
  if (node.op == "Div") {
    const ValueId d = node.inputs[0];
    // The difference may have been computed twice.
    const ValueId deviation = DeviationOf(graph, node.inputs[1], eps);
    const bool same = deviation == d || (Centred(graph, d) != model::kNone &&
                                         Centred(graph, deviation) == Centred(graph, d));
    return deviation != model::kNone && same ? d : model::kNone;
  }
  if (node.op == "Mul") {
    for (const ValueId d : node.inputs) {
      const ValueId root = InverseOf(graph, graph.Other(quotient, d));
      if (root != model::kNone && DeviationOf(graph, root, eps) == d) {
        return d;
      }
    }
  }
  return model::kNone;
}

/// The other operand of the one `op` that reads what node `at` makes, when that is a weight as
/// long as the last dimension; `at` moves on to that node.
ValueId TakeVector(const GraphEditor& graph, std::string_view op, std::size_t& at) {
  const ValueId made = graph.node(at).outputs[0];
  const auto next = graph.OnlyReader(made, op);
  if (!next) {
    return model::kNone;
  }
  const ValueId vector = graph.Other(*next, made);
  const tensor::Shape width = {graph.value(made).type.shape.back()};
  if (vector == made || graph.value(vector).type.shape != width) {
    return model::kNone;
  }
  at = *next;
  return vector;
}

}  // namespace

void FuseNorm(GraphEditor& graph, std::size_t quotient) {
  double eps = 0;
  const ValueId d = NumeratorOf(graph, quotient, eps);
  if (d == model::kNone) {
    return;
  }
  const ValueId x = Centred(graph, d);
  const bool is_layer_norm = x != model::kNone;
  std::size_t last = quotient;
  model::Node norm{"", is_layer_norm ? "LayerNormalization" : "RMSNormalization", "", {}, {}, {}};
  norm.inputs = {is_layer_norm ? x : d};
  norm.attributes["epsilon"] = eps;
  if (const ValueId weight = TakeVector(graph, "Mul", last); weight != model::kNone) {
    norm.inputs.push_back(weight);
    const ValueId bias = is_layer_norm ? TakeVector(graph, "Add", last) : model::kNone;
    if (bias != model::kNone) {
      norm.inputs.push_back(bias);
    }
  }
  graph.Replace(last, std::move(norm));
}

}  // namespace assay::aten
