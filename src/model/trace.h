// Where an input goes: through casts, reshapes, slices, sums and products with constants, up to
// the operators that do something with it. Internal to the reading of domains.
#pragma once

#include <cstddef>
#include <vector>

#include "model/domain.h"
#include "model/graph.h"
#include "model/uses.h"

namespace assay::model {

/// A value whose elements are those of an input, scaled and moved.
struct Trace {
  const Graph* graph = nullptr;
  ValueId value = kNone;
  double scale = 1;       // value = scale * input + offset,
  Range offset = {0, 0};  // anywhere in it, where columns have offsets of their own
  bool whole = false;     // an integer, or made one on the way
  bool decided = false;   // it is what a comparison said, so good for 0 and 1 only
  /// Columns (places along the last axis) of the input that it has, `count` from `from` on; and how
  /// many others the value has before them. Meaningless to the value's own when not aligned.
  std::size_t from = 0, count = 1, skip = 0;
  bool aligned = true;
};

/// All of `graph` that has the elements of `input`, the nearest first, each with the node's operand
/// that reads it.
struct Step {
  Trace trace;
  const Node* node = nullptr;
  std::size_t operand = 0;
};
std::vector<Step> StepsOf(const Graph& graph, ValueId input);

}  // namespace assay::model
