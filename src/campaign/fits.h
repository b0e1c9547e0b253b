// Whether the inputs and outputs of a model fit into memory, known before any of them is made.
// Pure.
#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"
#include "model/graph.h"

namespace assay::campaign {

/// What the inputs and outputs of a model take at the least. In bytes.
struct Footprint {
  std::uint64_t drawing = 0;  // in this process: every set of the inputs, and one as it is drawn
  std::uint64_t held = 0;     // in this process until the end: outputs of references, as doubles
  std::uint64_t worker = 0;   // in each worker: every set of the inputs, one of the outputs
};

/// Outputs whose shapes are not known count nothing; what overflows is the largest number there is.
Footprint FootprintOf(const model::Graph& graph);

/// free    of this machine, 0 when it does not say
/// limit   of each worker, 0 for none
/// asked   whether `limit` is what --memory says
/// batch   what --batch-size asked for, 0 for nothing
/// Errors  kInvalidArgument, naming the largest input or output, what is needed and what there is.
Status CheckFits(const model::Graph& graph, std::uint64_t free, std::uint64_t limit, bool asked,
                 std::int64_t batch);

}  // namespace assay::campaign
