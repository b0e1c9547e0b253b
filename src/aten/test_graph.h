// For tests: graphs built by hand, and programs as text.
#pragma once

#include <string>
#include <vector>

#include "aten/program.h"
#include "model/graph.h"

namespace assay::aten {

using Inputs = std::vector<model::ValueId>;
using Attributes = std::map<std::string, model::Attribute>;

/// A float32 graph of opset 20, node by node.
class TestGraph {
 public:
  TestGraph();

  model::ValueId Input(const tensor::Shape& shape, tensor::DType dtype = tensor::DType::kFloat32);
  model::ValueId Weight(const std::string& name, const tensor::Shape& shape);
  model::ValueId Ints(const std::vector<std::int64_t>& numbers);  // a constant vector
  model::ValueId Int(std::int64_t number);                        // a constant of rank 0
  model::ValueId Number(float number);                            // a constant of rank 0
  model::ValueId Numbers(const std::vector<float>& numbers, const tensor::Shape& shape);
  /// A node with one output of that shape.
  model::ValueId Node(const std::string& op, const Inputs& inputs, const tensor::Shape& shape,
                      const Attributes& attributes = {});
  /// A node with an output for each shape.
  std::vector<model::ValueId> Node(const std::string& op, const Inputs& inputs,
                                   const std::vector<tensor::Shape>& shapes,
                                   const Attributes& attributes = {});
  void Output(model::ValueId id) { graph_.outputs.push_back(id); }
  model::Node& last_node() { return graph_.nodes.back(); }
  model::Graph& graph() { return graph_; }

  /// The calls of the lowered graph, one text for each, or the error's message.
  std::vector<std::string> Calls() const;

 private:
  model::ValueId Add(model::Value value);
  model::Graph graph_;
};

/// "conv2d(x0, fc.weight, None, [1, 1]) -> 3"; inputs are x0, x1, weights have their names,
/// constants are c0, c1, other values numbers; an overload follows a dot.
std::vector<std::string> Texts(const Program& program);

}  // namespace assay::aten
