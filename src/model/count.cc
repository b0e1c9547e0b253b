#include "model/count.h"

#include <numeric>
#include <set>

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

}  // namespace

std::vector<std::uint64_t> ParametersByValue(const Graph& graph) {
  std::set<ValueId> buffers;
  for (const Node& node : graph.nodes) {
    if (node.op == "BatchNormalization") {
      buffers.insert({node.inputs[3], node.inputs[4]});
    }
  }
  std::vector<std::uint64_t> parameters(graph.values.size(), 0);
  for (std::size_t i = 0; i < graph.values.size(); ++i) {
    const Value& value = graph.values[i];
    if (value.weight && tensor::IsFloat(value.type.dtype) && !value.type.shape.empty() &&
        !buffers.contains(static_cast<ValueId>(i))) {
      parameters[i] = *tensor::ElementCount(value.type.shape);
    }
  }
  return parameters;
}

std::uint64_t CountParameters(const Graph& graph) {
  const std::vector<std::uint64_t> parameters = ParametersByValue(graph);
  return std::accumulate(parameters.begin(), parameters.end(), std::uint64_t{0});
}

std::uint64_t CountMacs(const Graph& graph, const Node& node) {
  if (node.op == "Conv") {
    return Elements(graph, node.outputs[0]) * AfterFirst(ShapeOf(graph, node.inputs[1]));
  }
  if (node.op == "ConvTranspose") {
    return Elements(graph, node.inputs[0]) * AfterFirst(ShapeOf(graph, node.inputs[1]));
  }
  if (node.op == "Gemm") {
    const std::int64_t inner = ShapeOf(graph, node.inputs[0])[node.Int("transA", 0) == 0 ? 1 : 0];
    return Elements(graph, node.outputs[0]) * static_cast<std::uint64_t>(inner);
  }
  if (node.op == "MatMul") {
    const auto inner = static_cast<std::uint64_t>(ShapeOf(graph, node.inputs[0]).back());
    return Elements(graph, node.outputs[0]) * inner;
  }
  return 0;
}

std::uint64_t CountMacs(const Graph& graph) {
  std::uint64_t macs = 0;
  for (const Node& node : graph.nodes) {
    macs += CountMacs(graph, node);
  }
  return macs;
}

}  // namespace assay::model
