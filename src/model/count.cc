#include "model/count.h"

#include <algorithm>
#include <array>
#include <map>
#include <numeric>
#include <set>
#include <string>
#include <string_view>

namespace assay::model {
namespace {

const tensor::Shape& ShapeOf(const Graph& graph, ValueId id) {
  return graph.values[static_cast<std::size_t>(id)].type.shape;
}

std::uint64_t Elements(const Graph& graph, ValueId id) {
  return *tensor::ElementCount(ShapeOf(graph, id));
}

/// Product of the dimensions after the first: what one output (of a transposed convolution: one
/// input) element sees of a kernel.
std::uint64_t AfterFirst(const tensor::Shape& kernel) {
  return kernel.empty() ? 0 : *tensor::ElementCount({kernel.begin() + 1, kernel.end()});
}

/// A convolution whose kernel is the input at that position.
template <std::size_t kKernel>
std::uint64_t Convolution(const Graph& graph, const Node& node) {
  return Elements(graph, node.outputs[0]) * AfterFirst(ShapeOf(graph, node.inputs[kKernel]));
}

std::uint64_t TransposedConvolution(const Graph& graph, const Node& node) {
  return Elements(graph, node.inputs[0]) * AfterFirst(ShapeOf(graph, node.inputs[1]));
}

std::uint64_t Gemm(const Graph& graph, const Node& node) {
  const std::int64_t inner = ShapeOf(graph, node.inputs[0])[node.Int("transA", 0) == 0 ? 1 : 0];
  return Elements(graph, node.outputs[0]) * static_cast<std::uint64_t>(inner);
}

std::uint64_t MatrixProduct(const Graph& graph, const Node& node) {
  const auto inner = static_cast<std::uint64_t>(ShapeOf(graph, node.inputs[0]).back());
  return Elements(graph, node.outputs[0]) * inner;
}

/// LSTM, GRU, RNN: each step of each sequence sees all of the input's and the state's weights.
std::uint64_t Recurrent(const Graph& graph, const Node& node) {
  const tensor::Shape& input = ShapeOf(graph, node.inputs[0]);
  const auto steps = static_cast<std::uint64_t>(input[0] * input[1]);
  return steps * (Elements(graph, node.inputs[1]) + Elements(graph, node.inputs[2]));
}

/// Queries times keys, then weights times values: every query sees every key, the past's included.
std::uint64_t Attention(const Graph& graph, const Node& node) {
  const tensor::Shape& keys = ShapeOf(graph, node.inputs[1]);
  std::int64_t seen = keys[keys.size() - 2];
  if (node.inputs.size() > 4 && node.inputs[4] != kNone) {
    seen += ShapeOf(graph, node.inputs[4])[2];
  }
  return (Elements(graph, node.inputs[0]) + Elements(graph, node.outputs[0])) *
         static_cast<std::uint64_t>(seen);
}

/// The sizes of all labels multiplied, once for each product of two operands: exact for two, what
/// a plain loop does for more. Transpositions and sums of one operand multiply nothing.
std::uint64_t Einsum(const Graph& graph, const Node& node) {
  const std::string equation = node.String("equation", "");
  std::map<char, std::int64_t> sizes;  // '.' for what an ellipsis stands for
  std::size_t operand = 0, at = 0;
  while (at < equation.size() && equation[at] != '-' && operand < node.inputs.size()) {
    std::string term;
    for (; at < equation.size() && equation[at] != ',' && equation[at] != '-'; ++at) {
      term += equation[at] == ' ' ? "" : std::string(1, equation[at]);
    }
    at += at < equation.size() && equation[at] == ',' ? 1 : 0;
    const tensor::Shape& shape = ShapeOf(graph, node.inputs[operand++]);
    const auto dots = term.find("...");
    const std::size_t labels = term.size() - (dots == std::string::npos ? 0 : 3);
    const std::size_t open = shape.size() > labels ? shape.size() - labels : 0;
    std::int64_t broadcast = 1;
    for (std::size_t axis = 0, i = 0; i < term.size() && axis < shape.size();) {
      if (i == dots) {
        for (std::size_t n = 0; n < open; ++n) {
          broadcast *= shape[axis++];
        }
        sizes['.'] = std::max(sizes['.'], broadcast);
        i += 3;
      } else {
        sizes[term[i]] = std::max(sizes[term[i]], shape[axis++]);
        ++i;
      }
    }
  }
  std::uint64_t product = node.inputs.size() - 1;
  for (const auto& [label, size] : sizes) {
    product *= static_cast<std::uint64_t>(size);
  }
  return product;
}

struct Rule {
  std::string_view op;
  std::uint64_t (*count)(const Graph&, const Node&);
};
constexpr auto kRules = std::to_array<Rule>({
    {"Attention", Attention},
    {"Conv", Convolution<1>},
    {"ConvInteger", Convolution<1>},
    {"ConvTranspose", TransposedConvolution},
    {"DeformConv", Convolution<1>},
    {"Einsum", Einsum},
    {"GRU", Recurrent},
    {"Gemm", Gemm},
    {"LSTM", Recurrent},
    {"MatMul", MatrixProduct},
    {"MatMulInteger", MatrixProduct},
    {"QLinearConv", Convolution<3>},
    {"QLinearMatMul", MatrixProduct},
    {"RNN", Recurrent},
});

}  // namespace

std::vector<std::uint64_t> ParametersByValue(const Graph& graph) {
  std::set<ValueId> buffers;
  for (const Node& node : graph.nodes) {
    if (node.op == "BatchNormalization" && node.domain.empty() && node.inputs.size() > 4) {
      buffers.insert({node.inputs[3], node.inputs[4]});
    }
  }
  std::vector<std::uint64_t> parameters(graph.values.size(), 0);
  for (std::size_t i = 0; i < graph.values.size(); ++i) {
    const Value& value = graph.values[i];
    if (value.weight && value.Typed() && tensor::IsFloat(value.type.dtype) &&
        !value.type.shape.empty() && !buffers.contains(static_cast<ValueId>(i))) {
      parameters[i] = *tensor::ElementCount(value.type.shape);
    }
  }
  return parameters;
}

std::uint64_t CountParameters(const Graph& graph) {
  const std::vector<std::uint64_t> parameters = ParametersByValue(graph);
  std::uint64_t count = std::accumulate(parameters.begin(), parameters.end(), std::uint64_t{0});
  for (const Node& node : graph.nodes) {
    count += ParametersInside(node);
  }
  return count;
}

std::uint64_t ParametersInside(const Node& node) {
  std::uint64_t count = 0;
  for (const auto& [attribute, body] : node.bodies) {
    count += CountParameters(*body);
  }
  return count;
}

std::uint64_t CountMacs(const Graph& graph, const Node& node) {
  std::uint64_t inside = 0;
  for (const auto& [attribute, body] : node.bodies) {
    inside = std::max(inside, CountMacs(*body));
  }
  const auto found = std::ranges::find(kRules, node.op, &Rule::op);
  return found == kRules.end() || !node.domain.empty() || !Typed(graph, node)
             ? inside
             : found->count(graph, node);
}

bool MultipliesAndAdds(const Node& node) {
  return node.domain.empty() && std::ranges::find(kRules, node.op, &Rule::op) != kRules.end();
}

std::uint64_t CountMacs(const Graph& graph) {
  std::uint64_t macs = 0;
  for (const Node& node : graph.nodes) {
    macs += CountMacs(graph, node);
  }
  return macs;
}

}  // namespace assay::model
