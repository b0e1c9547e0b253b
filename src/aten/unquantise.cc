#include "aten/unquantise.h"

#include <algorithm>
#include <cstring>
#include <optional>
#include <utility>

#include "aten/constants.h"

namespace assay::aten {
namespace {

/// The zero point of one element; 0 when it is left out.
std::optional<double> ZeroPoint(const model::Graph& graph, const model::Node& quantize) {
  if (quantize.inputs.size() < 3 || quantize.inputs[2] == model::kNone) {
    return 0.0;
  }
  const auto& constant = graph.values[static_cast<std::size_t>(quantize.inputs[2])].constant;
  const std::size_t size = constant ? constant->data.size() : 0;
  if (size == 0 || size != tensor::SizeOf(constant->type.dtype)) {
    return std::nullopt;
  }
  std::int32_t number = 0;
  std::memcpy(&number, constant->data.data(), std::min(size, sizeof number));  // little endian
  const auto bits = static_cast<int>(8 * size);
  const bool negative = IntegerRange(constant->type.dtype).value_or(Bounds{}).low < 0 &&
                        (number >> (bits - 1) & 1) != 0;
  return negative ? number - (1 << bits) : number;
}

/// What the dequantised numbers lie between.
std::optional<Bounds> Limits(const model::Graph& graph, const model::Node& quantize) {
  const auto value = [&](model::ValueId id) -> const model::Value& {
    return graph.values[static_cast<std::size_t>(id)];
  };
  const auto range = IntegerRange(value(quantize.outputs[0]).type.dtype);
  const auto zero = ZeroPoint(graph, quantize);
  const auto& scale = value(quantize.inputs[1]).constant;
  const double step = scale ? OnlyNumber(*scale).value_or(0) : 0;  // 0: not known
  if (!range || !zero || step == 0) {
    return std::nullopt;
  }
  return Bounds{(range->low - *zero) * step, (range->high - *zero) * step};
}

model::ValueId AddNumber(model::Graph& graph, double number) {
  const auto element = static_cast<float>(number);
  model::Value value;
  value.type = {tensor::DType::kFloat32, {}};
  value.constant = tensor::Tensor{"", value.type, std::vector<std::byte>(sizeof element)};
  std::memcpy(value.constant->data.data(), &element, sizeof element);
  graph.values.push_back(std::move(value));
  return static_cast<model::ValueId>(graph.values.size() - 1);
}

}  // namespace

model::Graph WithoutQuantisation(model::Graph graph) {
  const auto value = [&](model::ValueId id) -> const model::Value& {
    return graph.values[static_cast<std::size_t>(id)];
  };
  for (model::Node& node : graph.nodes) {
    if (node.op != "DequantizeLinear" || value(node.inputs[0]).producer < 0) {
      continue;
    }
    const auto made_by = static_cast<std::size_t>(value(node.inputs[0]).producer);
    const model::Node& quantize = graph.nodes[made_by];
    if (quantize.op != "QuantizeLinear" ||
        value(node.outputs[0]).type.dtype != tensor::DType::kFloat32 ||
        value(quantize.inputs[0]).type != value(node.outputs[0]).type) {
      continue;
    }
    if (const auto limits = Limits(graph, quantize)) {
      node.op = "Clip";
      node.attributes.clear();
      const model::ValueId low = AddNumber(graph, limits->low);
      node.inputs = {quantize.inputs[0], low, AddNumber(graph, limits->high)};
    }
  }
  return graph;
}

}  // namespace assay::aten
