#include "predict/breakdown.h"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_map>
#include <utility>

#include "base/text.h"

namespace assay::predict {
namespace {

constexpr std::pair<std::string_view, SortBy> kOrders[] = {
    {"order", SortBy::kOrder},           {"macs", SortBy::kMacs},
    {"flops", SortBy::kFlops},           {"bytes", SortBy::kBytes},
    {"parameters", SortBy::kParameters}, {"intensity", SortBy::kIntensity}};

/// The first `depth` parts of a name; exporters begin names with '/'.
std::string ModuleOf(const std::string& name, std::size_t depth) {
  std::size_t at = name.starts_with('/') ? 1 : 0;
  for (std::size_t part = 0; part < depth; ++part) {
    const std::size_t end = name.find_first_of("/.", at);
    if (end == std::string::npos) {
      return name;
    }
    if (part + 1 == depth) {
      return name.substr(0, end);
    }
    at = end + 1;
  }
  return name;
}

double KeyOf(const Line& line, SortBy by) {
  switch (by) {
    case SortBy::kMacs:
      return static_cast<double>(line.cost.macs);
    case SortBy::kFlops:
      return static_cast<double>(line.cost.flops);
    case SortBy::kBytes:
      return static_cast<double>(line.cost.bytes());
    case SortBy::kParameters:
      return static_cast<double>(line.cost.parameters);
    case SortBy::kIntensity:
      return line.intensity();
    case SortBy::kOrder:
      break;
  }
  return 0;
}

std::optional<tensor::Shape> ShapeOf(const model::Graph& graph, const model::Node& node) {
  for (const model::ValueId output : node.outputs) {
    if (output != model::kNone) {
      const model::Value& value = graph.values[static_cast<std::size_t>(output)];
      return value.Typed() ? std::optional(value.type.shape) : std::nullopt;
    }
  }
  return std::nullopt;
}

std::vector<Line> Modules(const std::vector<Line>& operators, std::size_t depth) {
  std::vector<Line> modules;
  std::vector<std::size_t> counts;
  std::unordered_map<std::string, std::size_t> index;
  for (const Line& line : operators) {
    const std::string name = ModuleOf(line.name, depth);
    const auto [at, added] = index.try_emplace(name, modules.size());
    if (added) {
      modules.push_back({.name = name, .op = "", .shape = {}, .cost = {.kind = line.cost.kind}});
      counts.push_back(0);
    }
    Line& module = modules[at->second];
    module.cost += line.cost;
    module.shape = line.shape;
    module.op =
        ++counts[at->second] == 1 ? line.op : fmt::format("{} operators", counts[at->second]);
  }
  return modules;
}

}  // namespace

double Line::intensity() const {
  const std::uint64_t bytes = cost.bytes();
  return bytes == 0 ? 0 : static_cast<double>(cost.flops) / static_cast<double>(bytes);
}

Result<SortBy> ParseSortBy(std::string_view name) {
  std::vector<std::string> names;
  for (const auto& [known, by] : kOrders) {
    if (known == name) {
      return by;
    }
    names.emplace_back(known);
  }
  return Error{Code::kInvalidArgument,
               fmt::format("cannot sort by '{}'{}", name, DidYouMean(name, names)),
               fmt::format("--sort is one of {}", Join(names, ", "))};
}

Breakdown BreakDown(const model::Graph& graph, Precision precision, SortBy by, std::size_t depth,
                    std::size_t top) {
  const std::vector<Cost> costs = Costs(graph, precision);
  Breakdown breakdown{.lines = {}, .total = {}, .coverage = CoverageOf(graph, costs)};
  for (std::size_t i = 0; i < costs.size(); ++i) {
    const model::Node& node = graph.nodes[i];
    breakdown.lines.push_back({node.name, node.op, ShapeOf(graph, node), costs[i]});
    breakdown.total += costs[i];
  }
  if (depth > 0) {
    breakdown.lines = Modules(breakdown.lines, depth);
  }
  std::ranges::stable_sort(
      breakdown.lines, [by](const Line& a, const Line& b) { return KeyOf(a, by) > KeyOf(b, by); });
  if (top > 0 && breakdown.lines.size() > top) {
    breakdown.lines.resize(top);
  }
  return breakdown;
}

}  // namespace assay::predict
