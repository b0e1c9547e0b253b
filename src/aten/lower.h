// ONNX to ATen: one lowering for every PyTorch engine.
#pragma once

#include <string_view>
#include <vector>

#include "aten/program.h"
#include "base/result.h"
#include "model/graph.h"

namespace assay::aten {

/// Lowers a typed graph to the calls that eager PyTorch would make for the architecture it came
/// from: in place where eager is, attention as scaled_dot_product_attention, batch norm unfused.
/// Errors  kUnsupported naming operator and node; what Graph::unread says.
Result<Program> Lower(const model::Graph& graph);

/// A lowered graph, with what the values of its program are.
struct Lowered {
  Program program;
  model::Graph graph;                   // that the rules read: known patterns are one node (Fuse)
  std::vector<model::ValueId> origins;  // by program value: the graph's, kNone for a result that
                                        // lies inside a rule
};
/// Errors  as Lower.
Result<Lowered> LowerWithOrigins(const model::Graph& graph);

/// The operators that have a rule, sorted: the standard's, and those of Fuse. Constant, Shape, Size
/// and Range need none: the graph's reader folds them.
std::vector<std::string_view> KnownOperators();

}  // namespace assay::aten
