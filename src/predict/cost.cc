#include "predict/cost.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/text.h"
#include "model/count.h"
#include "predict/operators.h"

namespace assay::predict {
namespace {

/// Below so many channels of a kernel to a group a matrix unit has nothing to multiply with: the
/// narrowest that is built has eight rows.
constexpr std::int64_t kNarrow = 8;

Kind KindOf(const model::Graph& graph, const model::Node& node, const Operator& row) {
  const bool convolution = row.kind == Kind::kMatrix && node.op.find("Conv") != std::string::npos;
  if (convolution && node.Int("group", 1) > 1) {
    const std::size_t kernel = node.op == "QLinearConv" ? 3 : 1;
    const tensor::Shape& shape = graph.At(node.inputs[kernel]).type.shape;
    return shape.size() > 1 && shape[1] < kNarrow ? Kind::kGrouped : Kind::kMatrix;
  }
  return row.kind;
}

void CountReads(const model::Graph& graph, const model::Node& node, Reads reads,
                const std::vector<bool>& constant, Precision precision, Cost& cost) {
  std::set<model::ValueId> seen;  // x * x reads x once
  for (std::size_t i = 0; i < node.inputs.size(); ++i) {
    const model::ValueId id = node.inputs[i];
    if (id == model::kNone || !seen.insert(id).second) {
      continue;
    }
    const model::Value& value = graph.At(id);
    std::uint64_t bytes = BytesOf(value, precision);
    if (i == 0 && reads == Reads::kPicked && node.outputs[0] != model::kNone) {
      std::uint64_t picked = 0;
      for (const model::ValueId output : node.outputs) {
        picked += output == model::kNone ? 0 : BytesOf(graph.At(output), precision);
      }
      bytes = std::min(bytes, picked);
    }
    (constant[static_cast<std::size_t>(id)] ? cost.weight_bytes : cost.read_bytes) += bytes;
  }
}

Cost CostOf(const model::Graph& graph, const model::Node& node, const std::vector<bool>& constant,
            Precision precision) {
  Cost cost;
  const Operator* row = model::Typed(graph, node) ? FindOperator(node) : nullptr;
  cost.kind = row == nullptr ? Kind::kUnknown : KindOf(graph, node, *row);
  cost.macs = model::CountMacs(graph, node);
  cost.flops = 2 * cost.macs;
  if (row != nullptr && row->operations != nullptr) {
    cost.flops += row->operations(graph, node);
  }
  const Reads reads = row == nullptr ? Reads::kInputs : row->reads;
  if (cost.kind == Kind::kView || reads == Reads::kShape) {
    return cost;
  }
  CountReads(graph, node, reads, constant, precision, cost);
  for (const model::ValueId output : node.outputs) {
    cost.written_bytes += output == model::kNone ? 0 : BytesOf(graph.At(output), precision);
  }
  return cost;
}

bool IsFolded(const model::Node& node, const std::vector<bool>& constant) {
  return !node.inputs.empty() && std::ranges::all_of(node.inputs, [&](model::ValueId input) {
    return input == model::kNone || constant[static_cast<std::size_t>(input)];
  });
}

}  // namespace

const std::vector<Precision>& Precisions() {
  static const std::vector<Precision> kPrecisions = {{"fp64", 64}, {"fp32", 32}, {"tf32", 32},
                                                     {"bf16", 16}, {"fp16", 16}, {"fp8", 8},
                                                     {"int8", 8},  {"int4", 4}};
  return kPrecisions;
}

Result<Precision> FindPrecision(std::string_view name) {
  std::vector<std::string> names;
  for (const Precision& precision : Precisions()) {
    if (precision.name == ToLower(name)) {
      return precision;
    }
    names.emplace_back(precision.name);
  }
  return Error{Code::kInvalidArgument,
               fmt::format("no precision '{}'{}", name, DidYouMean(name, names)),
               fmt::format("precisions are {}", Join(names, ", "))};
}

Precision PrecisionOfModel(std::string_view model_precision) {
  const auto found = FindPrecision(Split(std::string(model_precision), '-').front());
  return found ? *found : Precision{"fp32", 32};
}

std::string_view Name(Kind kind) {
  switch (kind) {
    case Kind::kMatrix:
      return "matrix";
    case Kind::kGrouped:
      return "grouped";
    case Kind::kVector:
      return "vector";
    case Kind::kMove:
      return "move";
    case Kind::kView:
      return "view";
    case Kind::kUnknown:
      break;
  }
  return "unknown";
}

Cost& Cost::operator+=(const Cost& other) {
  macs += other.macs;
  flops += other.flops;
  read_bytes += other.read_bytes;
  weight_bytes += other.weight_bytes;
  written_bytes += other.written_bytes;
  parameters += other.parameters;
  return *this;
}

std::uint64_t BytesOf(const model::Value& value, Precision precision) {
  if (!value.Typed()) {
    return 0;
  }
  const std::uint64_t elements = *tensor::ElementCount(value.type.shape);
  if (tensor::IsFloat(value.type.dtype)) {
    return (elements * static_cast<std::uint64_t>(precision.bits) + 7) / 8;
  }
  return elements * tensor::SizeOf(value.type.dtype);
}

std::vector<bool> ConstantValues(const model::Graph& graph) {
  std::vector<bool> constant(graph.values.size(), false);
  for (std::size_t i = 0; i < constant.size(); ++i) {
    constant[i] = graph.values[i].weight.has_value() || graph.values[i].constant.has_value();
  }
  for (const model::Node& node : graph.nodes) {
    if (IsFolded(node, constant)) {
      for (const model::ValueId output : node.outputs) {
        if (output != model::kNone) {
          constant[static_cast<std::size_t>(output)] = true;
        }
      }
    }
  }
  return constant;
}

std::vector<Cost> Costs(const model::Graph& graph, Precision precision) {
  const std::vector<bool> constant = ConstantValues(graph);
  std::vector<std::uint64_t> parameters = model::ParametersByValue(graph);
  std::vector<bool> counted(graph.values.size(), false);
  std::vector<Cost> costs;
  costs.reserve(graph.nodes.size());
  for (const model::Node& node : graph.nodes) {
    const bool folded = IsFolded(node, constant);
    Cost cost;
    cost.kind = Kind::kView;
    if (!folded) {
      cost = CostOf(graph, node, constant, precision);
    }
    std::uint64_t first_used = model::ParametersInside(node);
    for (const model::ValueId input : node.inputs) {
      const auto index = static_cast<std::size_t>(input);
      if (input != model::kNone && !counted[index]) {
        counted[index] = true;
        first_used += parameters[index];
      }
    }
    if (folded && node.outputs[0] != model::kNone) {
      parameters[static_cast<std::size_t>(node.outputs[0])] += first_used;
    } else {
      cost.parameters = first_used;
    }
    costs.push_back(cost);
  }
  return costs;
}

Coverage CoverageOf(const model::Graph& graph, const std::vector<Cost>& costs) {
  Coverage coverage{.nodes = graph.nodes.size(), .understood = 0, .unknown = {}};
  std::set<std::string> unknown;
  for (std::size_t i = 0; i < costs.size(); ++i) {
    if (costs[i].kind == Kind::kUnknown) {
      const model::Node& node = graph.nodes[i];
      unknown.insert(node.domain.empty() ? node.op : node.domain + "." + node.op);
    } else {
      ++coverage.understood;
    }
  }
  coverage.unknown.assign(unknown.begin(), unknown.end());
  return coverage;
}

}  // namespace assay::predict
