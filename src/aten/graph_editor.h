// A graph under rewriting: who makes and who reads each value, and groups replaced by one node.
#pragma once

#include <initializer_list>
#include <optional>
#include <string_view>
#include <vector>

#include "model/graph.h"

namespace assay::aten {

class GraphEditor {
 public:
  explicit GraphEditor(model::Graph graph);

  std::int64_t opset() const { return graph_.opset; }
  std::size_t node_count() const { return graph_.nodes.size(); }
  /// A node; removed ones have no operator ("").
  const model::Node& node(std::size_t index) const { return graph_.nodes[index]; }
  const model::Value& value(model::ValueId id) const;

  /// The node that makes `id` if it is an `op` of the standard domain (or Fuse's), else nothing.
  std::optional<std::size_t> MadeBy(model::ValueId id, std::string_view op) const;
  /// The one node that reads `id`, if it is an `op`; nothing when others read it or it is an
  /// output.
  std::optional<std::size_t> OnlyReader(model::ValueId id, std::string_view op) const;
  /// Whether only one node reads `id` and it is no output of the graph.
  bool ReadOnce(model::ValueId id) const;
  /// The nodes that read `id`, in no order; indices beyond node_count() are none of these.
  const std::vector<std::size_t>& Readers(model::ValueId id) const;
  /// The number of a one-element constant.
  std::optional<double> Number(model::ValueId id) const;
  /// Whether `id` is a one-element constant within a relative 1e-4 of `number`, or as near as its
  /// type can be.
  bool IsNumber(model::ValueId id, double number) const;
  /// Whether `id` is an initializer.
  bool IsWeight(model::ValueId id) const;
  /// For a two-operand node: the operand that is not `id`.
  model::ValueId Other(std::size_t node, model::ValueId id) const;

  /// A new value of that type, for a node to be put in.
  model::ValueId NewValue(tensor::Type type);
  /// Puts `fused` where node `at` was; it takes over that node's outputs and name. The rest of the
  /// group dies with its last reader.
  void Replace(std::size_t at, model::Node fused);
  /// Puts a node of its own before node `at`.
  void InsertBefore(std::size_t at, model::Node node);

  /// The rewritten graph: without dead and constant nodes, producers renewed.
  model::Graph Take() &&;

 private:
  void AddReader(const model::Node& node, std::size_t index);
  void RemoveReader(const model::Node& node, std::size_t index);
  /// Removes node `index` if nobody reads what it makes, then what it alone had read, and so on.
  void DropDead(std::size_t index);
  void DropProducers(const model::Node& reader);

  model::Graph graph_;
  // By value: the nodes that read it, once for each operand. Beyond all indices: nodes put before
  // others, and the outside world, twice, for the graph's outputs.
  std::vector<std::vector<std::size_t>> readers_;
  std::vector<std::vector<model::Node>> before_;  // by node: nodes to be put before it
};

}  // namespace assay::aten
