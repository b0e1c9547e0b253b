#include "campaign/output_kinds.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <vector>

namespace assay::campaign {
namespace {

template <std::size_t N>
bool IsOneOf(const std::array<std::string_view, N>& names, const model::Node& node) {
  return node.domain.empty() && std::ranges::find(names, node.op) != names.end();
}

constexpr std::array<std::string_view, 6> kDraw = {"RandomNormal",  "RandomNormalLike",
                                                   "RandomUniform", "RandomUniformLike",
                                                   "Bernoulli",     "Multinomial"};
// Of what they read they tell the shape only.
constexpr std::array<std::string_view, 2> kShapeOnly = {"Shape", "Size"};
constexpr std::array<std::string_view, 6> kSamePlaces = {"Identity",  "Cast",    "Squeeze",
                                                         "Unsqueeze", "Reshape", "Flatten"};
constexpr std::array<std::string_view, 2> kSearches = {"ArgMax", "ArgMin"};

/// A Dropout's third input says so (opset 12); before, it did not train in inference.
bool Trains(const model::Graph& graph, const model::Node& node) {
  if (node.op != "Dropout" || node.inputs.size() < 3 || node.inputs[2] == model::kNone) {
    return false;
  }
  const auto& mode = graph.At(node.inputs[2]).constant;
  return mode && !mode->data.empty() && mode->data.front() != std::byte{0};
}

std::optional<Choice> ChoiceOf(const model::Graph& graph, model::ValueId id) {
  while (graph.At(id).producer >= 0) {
    const model::Node& node = graph.nodes[static_cast<std::size_t>(graph.At(id).producer)];
    if (IsOneOf(kSamePlaces, node)) {
      id = node.inputs.front();
      continue;
    }
    const bool top = node.op == "TopK" && node.domain.empty() && node.outputs.size() > 1 &&
                     node.outputs[1] == id;
    if (!top && !IsOneOf(kSearches, node)) {
      return std::nullopt;
    }
    const model::ValueId values = node.inputs.front();
    if (!graph.At(values).Typed()) {
      return std::nullopt;
    }
    const auto rank = static_cast<std::int64_t>(graph.At(values).type.shape.size());
    const std::int64_t axis = node.Int("axis", top ? -1 : 0);
    return Choice{.values = values, .axis = axis < 0 ? axis + rank : axis};
  }
  return std::nullopt;
}

}  // namespace

std::set<std::string> RandomOutputs(const model::Graph& graph) {
  std::vector<bool> drawn(graph.values.size());
  for (const model::Node& node : graph.nodes) {
    const bool reads = std::ranges::any_of(node.inputs, [&](model::ValueId id) {
      return id != model::kNone && drawn[static_cast<std::size_t>(id)];
    });
    if (IsOneOf(kDraw, node) || Trains(graph, node) || (reads && !IsOneOf(kShapeOnly, node))) {
      for (const model::ValueId id : node.outputs) {
        if (id != model::kNone) {
          drawn[static_cast<std::size_t>(id)] = true;
        }
      }
    }
  }
  std::set<std::string> outputs;
  for (const model::ValueId id : graph.outputs) {
    if (drawn[static_cast<std::size_t>(id)]) {
      outputs.insert(graph.At(id).name);
    }
  }
  return outputs;
}

std::map<std::string, Choice> ChosenIndices(const model::Graph& graph) {
  std::map<std::string, Choice> choices;
  for (const model::ValueId id : graph.outputs) {
    if (const auto choice = ChoiceOf(graph, id)) {
      choices[graph.At(id).name] = *choice;
    }
  }
  return choices;
}

std::optional<OutputSets> Select(const OutputSets& values, const OutputSets& indices,
                                 std::int64_t axis) {
  const auto at = static_cast<std::size_t>(axis);
  if (at >= values.shape.size() || indices.sets.size() != values.sets.size()) {
    return std::nullopt;
  }
  std::size_t inner = 1;
  for (std::size_t i = at + 1; i < values.shape.size(); ++i) {
    inner *= static_cast<std::size_t>(values.shape[i]);
  }
  const auto width = static_cast<std::size_t>(values.shape[at]);
  OutputSets selected{.shape = indices.shape, .sets = {}};
  for (std::size_t set = 0; set < indices.sets.size(); ++set) {
    const std::vector<double>&from = values.sets[set], &places = indices.sets[set];
    const std::size_t outer = width * inner == 0 ? 0 : from.size() / (width * inner);
    const std::size_t places_of_row = outer == 0 ? 0 : places.size() / outer;
    if (places_of_row == 0 || places_of_row % inner != 0) {
      return std::nullopt;
    }
    std::vector<double>& to = selected.sets.emplace_back();
    for (std::size_t i = 0; i < places.size(); ++i) {
      const double place = places[i] < 0 ? places[i] + static_cast<double>(width) : places[i];
      if (!(place >= 0 && place < static_cast<double>(width))) {
        return std::nullopt;
      }
      to.push_back(
          from[(i / places_of_row * width + static_cast<std::size_t>(place)) * inner + i % inner]);
    }
  }
  return selected;
}

}  // namespace assay::campaign
