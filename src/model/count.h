// What a graph holds and computes: parameters and multiply-adds.
#pragma once

#include <cstdint>
#include <vector>

#include "model/graph.h"

namespace assay::model {

/// Elements of the floating-point initializers that training would change: not batch norm's running
/// statistics, and no scalars (exporters write constants of formulas as such). Those of graphs
/// inside nodes count as well.
std::uint64_t CountParameters(const Graph& graph);

/// Those of the graphs inside a node.
std::uint64_t ParametersInside(const Node& node);

/// What each value adds to CountParameters, by its index.
std::vector<std::uint64_t> ParametersByValue(const Graph& graph);

/// Multiply-adds of convolutions (output elements times the kernel elements that each sees, so that
/// groups count once), of matrix products, those between activations included, as attention has,
/// and of recurrent cells.
/// Bias, normalisation and pooling count nothing. This rule gives torchvision's published figures
/// (models/*.py, weight metadata) for convolutional networks and vision transformers alike. Nodes
/// without static types count nothing; of an If the branch with more counts, of a loop one turn.
std::uint64_t CountMacs(const Graph& graph);
/// Those of one node of the graph.
std::uint64_t CountMacs(const Graph& graph, const Node& node);
/// Whether the node's operator is one that CountMacs counts.
bool MultipliesAndAdds(const Node& node);

}  // namespace assay::model
