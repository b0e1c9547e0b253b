#include "model/graph.h"

#include <algorithm>

namespace assay::model {
namespace {

template <typename T>
T Get(const std::map<std::string, Attribute>& attributes, std::string_view name, T otherwise) {
  const auto found = attributes.find(std::string(name));
  const T* value = found == attributes.end() ? nullptr : std::get_if<T>(&found->second);
  return value == nullptr ? std::move(otherwise) : *value;
}

}  // namespace

std::int64_t Node::Int(std::string_view attribute, std::int64_t otherwise) const {
  return Get(attributes, attribute, otherwise);
}

double Node::Float(std::string_view attribute, double otherwise) const {
  return Get(attributes, attribute, otherwise);
}

std::string Node::String(std::string_view attribute, std::string_view otherwise) const {
  return Get(attributes, attribute, std::string(otherwise));
}

std::vector<std::int64_t> Node::Ints(std::string_view attribute,
                                     std::vector<std::int64_t> otherwise) const {
  return Get(attributes, attribute, std::move(otherwise));
}

bool Typed(const Graph& graph, const Node& node) {
  const auto typed = [&](ValueId id) {
    return id == kNone || graph.values[static_cast<std::size_t>(id)].Typed();
  };
  return std::ranges::all_of(node.inputs, typed) && std::ranges::all_of(node.outputs, typed);
}

std::int64_t BatchOf(const Graph& graph) {
  if (graph.inputs.empty()) {
    return 1;
  }
  const tensor::Shape& shape =
      graph.values[static_cast<std::size_t>(graph.inputs.front())].type.shape;
  return shape.empty() ? 1 : shape.front();
}

}  // namespace assay::model
