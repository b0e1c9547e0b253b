// Which operators one kernel computes together, as each kind of engine makes them. A rule, not the
// engine's own compiled graph.
#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

#include "predict/cost.h"

namespace assay::predict {

enum class EngineKind {
  kEager,     // every operator alone, views free but dispatched (PyTorch eager)
  kCompiled,  // what graph compilers fuse: convolution or product with normalisation, activation
              // and addition; chains of elementwise operators; attention
};
std::string_view Name(EngineKind kind);  // "eager", "compiled"
/// Errors  kInvalidArgument with the names there are.
Result<EngineKind> ParseEngineKind(std::string_view name);

/// Nodes that run as one kernel, in the graph's order; `main` is the one that the group is named
/// by.
struct Group {
  std::vector<std::size_t> nodes;
  std::size_t main = 0;
  Cost cost;  // kind of `main`; of bytes only what passes the group's edges
};

/// costs  of `graph`'s nodes (Costs)
/// Returns groups that hold every node once, in order of their last node.
std::vector<Group> Fuse(const model::Graph& graph, const std::vector<Cost>& costs, EngineKind kind,
                        Precision precision);

}  // namespace assay::predict
