#include "aten/graph_editor.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "aten/constants.h"
#include "aten/fuse.h"

namespace assay::aten {
namespace {

constexpr std::size_t kOutside = std::numeric_limits<std::size_t>::max();

std::size_t Index(std::int32_t id) { return static_cast<std::size_t>(id); }

bool IsOp(const model::Node& node, std::string_view op) {
  return node.op == op &&
         (node.domain.empty() || node.domain == "ai.onnx" || node.domain == kFusedDomain);
}

}  // namespace

GraphEditor::GraphEditor(model::Graph graph)
    : graph_(std::move(graph)), readers_(graph_.values.size()), before_(graph_.nodes.size()) {
  for (std::size_t i = 0; i < node_count(); ++i) {
    AddReader(node(i), i);
  }
  for (const model::ValueId id : graph_.outputs) {
    readers_[Index(id)].insert(readers_[Index(id)].end(), 2, kOutside);  // never read just once
  }
  for (std::size_t i = node_count(); i-- > 0;) {
    DropDead(i);
  }
}

void GraphEditor::AddReader(const model::Node& node, std::size_t index) {
  for (const model::ValueId id : node.inputs) {
    if (id != model::kNone) {
      readers_[Index(id)].push_back(index);
    }
  }
}

void GraphEditor::RemoveReader(const model::Node& node, std::size_t index) {
  for (const model::ValueId id : node.inputs) {
    if (id != model::kNone) {
      auto& readers = readers_[Index(id)];
      std::swap(*std::ranges::find(readers, index), readers.back());
      readers.pop_back();
    }
  }
}

const model::Value& GraphEditor::value(model::ValueId id) const { return graph_.values[Index(id)]; }

std::optional<std::size_t> GraphEditor::MadeBy(model::ValueId id, std::string_view op) const {
  if (id == model::kNone || value(id).producer < 0) {
    return std::nullopt;
  }
  const std::size_t producer = Index(value(id).producer);
  return IsOp(node(producer), op) ? std::optional(producer) : std::nullopt;
}

std::optional<std::size_t> GraphEditor::OnlyReader(model::ValueId id, std::string_view op) const {
  if (!ReadOnce(id) || value(id).producer < 0) {
    return std::nullopt;
  }
  const std::size_t reader = readers_[Index(id)].front();
  return reader < node_count() && IsOp(node(reader), op) ? std::optional(reader) : std::nullopt;
}

bool GraphEditor::ReadOnce(model::ValueId id) const { return readers_[Index(id)].size() == 1; }

const std::vector<std::size_t>& GraphEditor::Readers(model::ValueId id) const {
  return readers_[Index(id)];
}

std::optional<double> GraphEditor::Number(model::ValueId id) const {
  if (id == model::kNone || !value(id).constant) {
    return std::nullopt;
  }
  return OnlyNumber(*value(id).constant);
}

bool GraphEditor::IsNumber(model::ValueId id, double number) const {
  const auto found = Number(id);
  if (!found) {
    return false;
  }
  // Half a unit in the last place: 2^-11 of a number for float16, 2^-8 for bfloat16.
  const tensor::DType dtype = value(id).type.dtype;
  const double near = dtype == tensor::DType::kFloat16    ? 0x1p-11
                      : dtype == tensor::DType::kBFloat16 ? 0x1p-8
                                                          : 1e-4;
  return std::abs(*found - number) <= near * std::abs(number);
}

bool GraphEditor::IsWeight(model::ValueId id) const {
  return id != model::kNone && value(id).weight.has_value();
}

model::ValueId GraphEditor::Other(std::size_t index, model::ValueId id) const {
  const auto& inputs = node(index).inputs;
  return inputs[0] == id ? inputs[1] : inputs[0];
}

model::ValueId GraphEditor::NewValue(tensor::Type type) {
  model::Value made;
  made.type = std::move(type);
  graph_.values.push_back(std::move(made));
  readers_.emplace_back();
  return static_cast<model::ValueId>(graph_.values.size() - 1);
}

void GraphEditor::Replace(std::size_t at, model::Node fused) {
  model::Node& place = graph_.nodes[at];
  fused.name = place.name;
  fused.outputs = place.outputs;
  AddReader(fused, at);
  RemoveReader(place, at);
  const model::Node replaced = std::exchange(place, std::move(fused));
  DropProducers(replaced);
}

void GraphEditor::InsertBefore(std::size_t at, model::Node node) {
  AddReader(node, kOutside);
  before_[at].push_back(std::move(node));
}

void GraphEditor::DropProducers(const model::Node& reader) {
  for (const model::ValueId id : reader.inputs) {
    if (id != model::kNone && value(id).producer >= 0) {
      DropDead(Index(value(id).producer));
    }
  }
}

void GraphEditor::DropDead(std::size_t index) {
  std::vector<std::size_t> open = {index};
  while (!open.empty()) {
    model::Node& node = graph_.nodes[open.back()];
    const std::size_t at = open.back();
    open.pop_back();
    const bool dead = std::ranges::all_of(node.outputs, [&](model::ValueId id) {
      return id == model::kNone || readers_[Index(id)].empty() || value(id).constant.has_value();
    });
    if (!dead || node.op.empty()) {
      continue;
    }
    RemoveReader(node, at);
    for (const model::ValueId id : node.inputs) {
      if (id != model::kNone && value(id).producer >= 0) {
        open.push_back(Index(value(id).producer));
      }
    }
    node = {};
  }
}

model::Graph GraphEditor::Take() && {
  std::vector<model::Node> nodes;
  for (std::size_t i = 0; i < graph_.nodes.size(); ++i) {
    std::ranges::move(before_[i], std::back_inserter(nodes));
    if (!graph_.nodes[i].op.empty()) {
      nodes.push_back(std::move(graph_.nodes[i]));
    }
  }
  graph_.nodes = std::move(nodes);
  for (model::Value& value : graph_.values) {
    value.producer = -1;
  }
  for (std::size_t i = 0; i < graph_.nodes.size(); ++i) {
    for (const model::ValueId id : graph_.nodes[i].outputs) {
      if (id != model::kNone) {
        graph_.values[Index(id)].producer = static_cast<std::int32_t>(i);
      }
    }
  }
  return std::move(graph_);
}

}  // namespace assay::aten
