#include "aten/fuse_attention.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "aten/constants.h"
#include "aten/fuse.h"

namespace assay::aten {
namespace {

using model::ValueId;

/// Follows Mul and Div by a number backwards from `id`, gathering the factor; every value passed
/// must be read once.
ValueId Unscaled(const GraphEditor& graph, ValueId id, double& scale) {
  if (!graph.ReadOnce(id)) {
    return id;
  }
  if (const auto div = graph.MadeBy(id, "Div")) {
    if (const auto number = graph.Number(graph.node(*div).inputs[1])) {
      scale /= *number;
      return graph.node(*div).inputs[0];
    }
  }
  if (const auto mul = graph.MadeBy(id, "Mul")) {
    for (const ValueId operand : graph.node(*mul).inputs) {
      if (const auto number = graph.Number(graph.Other(*mul, operand))) {
        scale *= *number;
        return operand;
      }
    }
  }
  return id;
}

std::vector<std::int64_t> WithLastTwoSwapped(std::vector<std::int64_t> order) {
  std::swap(order[order.size() - 1], order[order.size() - 2]);
  return order;
}

/// The k of Reshape(Transpose(Reshape(k, [n, length, width]), [0, 2, 1]), [..., width, length]), as
/// torch.onnx writes it with dynamo; kNone for anything else.
ValueId KeyOfFlatTranspose(const GraphEditor& graph, ValueId transposed) {
  const auto outer = graph.MadeBy(transposed, "Reshape");
  const auto turn = outer ? graph.MadeBy(graph.node(*outer).inputs[0], "Transpose") : std::nullopt;
  const auto inner = turn ? graph.MadeBy(graph.node(*turn).inputs[0], "Reshape") : std::nullopt;
  if (!inner || graph.node(*turn).Ints("perm") != std::vector<std::int64_t>{0, 2, 1}) {
    return model::kNone;
  }
  const ValueId key = graph.node(*inner).inputs[0];
  const auto& flat = graph.value(graph.node(*inner).outputs[0]).type.shape;
  const auto& shape = graph.value(key).type.shape;
  const bool keeps_rows = shape.size() == 4 && shape[2] == flat[1] && shape[3] == flat[2] &&
                          graph.value(transposed).type.shape == WithLastTwoSwapped(shape);
  return keeps_rows ? key : model::kNone;
}

/// The key [batch, heads, length, width] of its transpose: Transpose(k) of the last two gives k
/// back, any other operand gets a Transpose before node `at`.
ValueId Key(GraphEditor& graph, ValueId transposed, std::size_t at) {
  if (const ValueId key = KeyOfFlatTranspose(graph, transposed); key != model::kNone) {
    return key;
  }
  std::vector<std::int64_t> order = {0, 1, 2, 3};
  ValueId source = transposed;
  if (const auto transpose = graph.MadeBy(transposed, "Transpose")) {
    order = graph.node(*transpose).Ints("perm", {3, 2, 1, 0});
    source = graph.node(*transpose).inputs[0];
  }
  order = WithLastTwoSwapped(std::move(order));
  if (order == std::vector<std::int64_t>{0, 1, 2, 3}) {
    return source;
  }
  tensor::Type type = graph.value(transposed).type;
  type.shape = WithLastTwoSwapped(type.shape);
  const ValueId key = graph.NewValue(std::move(type));
  const std::string name = graph.node(at).name + "/key";
  graph.InsertBefore(at, {name, "Transpose", "", {source}, {key}, {{"perm", order}}});
  return key;
}

struct Scores {
  std::size_t matmul;
  ValueId mask = model::kNone;
  double scale = 1;
};

/// What a softmax is taken of, when that is a scaled product of two 4-D tensors.
std::optional<Scores> ScoresOf(const GraphEditor& graph, ValueId id) {
  Scores scores{0};
  if (const auto add = graph.MadeBy(id, "Add"); add && graph.ReadOnce(id)) {
    for (const ValueId operand : graph.node(*add).inputs) {
      double scale = 1;
      if (graph.MadeBy(Unscaled(graph, operand, scale), "MatMul")) {
        scores.mask = graph.Other(*add, operand);
        id = operand;
        break;
      }
    }
  }
  id = Unscaled(graph, id, scores.scale);
  const auto matmul = graph.MadeBy(id, "MatMul");
  if (!matmul || !graph.ReadOnce(id) || graph.value(id).type.shape.size() != 4) {
    return std::nullopt;
  }
  scores.matmul = *matmul;
  return scores;
}

/// The softmax itself or what exporters put behind it and PyTorch's attention does too: a dropout
/// that does nothing, and Where(IsNaN(it), 0, it) for rows that a mask hides whole.
ValueId BehindSoftmax(const GraphEditor& graph, ValueId weights) {
  if (const auto dropout = graph.OnlyReader(weights, "Dropout")) {
    return graph.node(*dropout).outputs[0];
  }
  for (const std::size_t reader : graph.Readers(weights)) {
    if (reader >= graph.node_count() || graph.node(reader).op != "Where") {
      continue;
    }
    const model::Node& where = graph.node(reader);
    const auto guard = graph.MadeBy(where.inputs[0], "IsNaN");
    if (where.inputs[2] == weights && graph.IsNumber(where.inputs[1], 0.0) && guard &&
        graph.node(*guard).inputs[0] == weights) {
      return where.outputs[0];
    }
  }
  return weights;
}

constexpr double kHidden = -1e9;  // added to a score, leaves nothing of it behind a softmax

/// The number that every element of `id` is, when the graph says so.
std::optional<double> FilledWith(const GraphEditor& graph, ValueId id) {
  if (const auto& constant = graph.value(id).constant) {
    const auto numbers = Floats(*constant);
    const bool same = numbers && !numbers->empty() && std::ranges::all_of(*numbers, [&](double n) {
                        return n == numbers->front();
                      });
    return same ? std::optional(numbers->front()) : std::nullopt;
  }
  if (const auto expand = graph.MadeBy(id, "Expand")) {
    return graph.Number(graph.node(*expand).inputs[0]);
  }
  if (const auto fill = graph.MadeBy(id, "ConstantOfShape")) {
    const auto value = graph.node(*fill).attributes.find("value");
    if (value != graph.node(*fill).attributes.end()) {
      const auto* number = std::get_if<tensor::Tensor>(&value->second);
      return number != nullptr ? OnlyNumber(*number) : std::nullopt;
    }
  }
  return std::nullopt;
}

/// Whether `mask` hides from each of `length` queries the keys behind it and nothing else: a
/// constant, or the upper triangle of a filled matrix.
bool IsCausal(const GraphEditor& graph, ValueId mask, std::int64_t length) {
  const model::Value& value = graph.value(mask);
  const tensor::Shape& shape = value.type.shape;
  const auto rank = shape.size();
  const auto elements = tensor::ElementCount(shape);
  if (rank < 2 || shape[rank - 1] != length || shape[rank - 2] != length || !elements ||
      *elements != static_cast<std::uint64_t>(length * length)) {
    return false;
  }
  if (const auto triangle = graph.MadeBy(mask, "Trilu")) {
    const model::Node& node = graph.node(*triangle);
    const bool above =
        node.Int("upper", 1) != 0 && node.inputs.size() == 2 && graph.Number(node.inputs[1]) == 1.0;
    return above && FilledWith(graph, node.inputs[0]).value_or(0) <= kHidden;
  }
  const auto added = value.constant ? Floats(*value.constant) : std::nullopt;
  for (std::int64_t i = 0; added && i < length * length; ++i) {
    const double number = (*added)[static_cast<std::size_t>(i)];
    if (i % length > i / length ? number > kHidden : number != 0) {
      return false;
    }
  }
  return added.has_value();
}

}  // namespace

void FuseAttention(GraphEditor& graph, std::size_t softmax) {
  if (graph.node(softmax).op != "Softmax") {
    return;
  }
  const std::int64_t axis = graph.node(softmax).Int("axis", graph.opset() < 13 ? 1 : -1);
  const ValueId weights = BehindSoftmax(graph, graph.node(softmax).outputs[0]);
  const auto product = graph.OnlyReader(weights, "MatMul");
  auto scores = ScoresOf(graph, graph.node(softmax).inputs[0]);
  if ((axis != -1 && axis != 3) || !product || !scores ||
      graph.node(*product).inputs[0] != weights) {
    return;
  }
  const model::Node& first = graph.node(scores->matmul);
  const ValueId query = Unscaled(graph, first.inputs[0], scores->scale);
  const ValueId transposed = Unscaled(graph, first.inputs[1], scores->scale);
  const ValueId value = graph.node(*product).inputs[1];
  const auto has_heads = [&](ValueId id) { return graph.value(id).type.shape.size() == 4; };
  if (query == transposed || !has_heads(query) || !has_heads(transposed) || !has_heads(value)) {
    return;
  }
  const ValueId key = Key(graph, transposed, *product);
  const double width = static_cast<double>(graph.value(query).type.shape.back());
  const bool usual = std::abs(scores->scale * std::sqrt(width) - 1) < 1e-4;
  model::Node attention{"", "Attention", std::string(kFusedDomain), {query, key, value}, {}, {}};
  attention.attributes["scale"] = usual ? 0.0 : scores->scale;
  const std::int64_t length = graph.value(query).type.shape[2];
  if (scores->mask != model::kNone && graph.value(key).type.shape[2] == length && length > 1 &&
      IsCausal(graph, scores->mask, length)) {
    attention.attributes["is_causal"] = std::int64_t{1};
  } else if (scores->mask != model::kNone) {
    attention.inputs.push_back(scores->mask);
  }
  graph.Replace(*product, std::move(attention));
}

}  // namespace assay::aten
