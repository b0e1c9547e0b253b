// Outputs that cannot be compared number by number, found in the graph: those that are drawn at
// random, and indices that a search chose. Pure.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>

#include "campaign/outputs.h"
#include "model/graph.h"

namespace assay::campaign {

/// Outputs that depend on an operator which draws numbers (a Dropout only where it trains).
std::set<std::string> RandomOutputs(const model::Graph& graph);

/// The outputs of ArgMax, ArgMin and TopK that are places along `axis` of `values`. Equal values
/// have several right places: such outputs are compared by what stands there.
struct Choice {
  model::ValueId values = model::kNone;
  std::int64_t axis = 0;  // from 0
};
/// By output; through casts and changes of shape.
std::map<std::string, Choice> ChosenIndices(const model::Graph& graph);

/// What stands in `values` at the places that `indices` name along `axis`, in the shape of
/// `indices`. Nothing when a place is none, or the two do not fit.
std::optional<OutputSets> Select(const OutputSets& values, const OutputSets& indices,
                                 std::int64_t axis);

}  // namespace assay::campaign
