// How much memory an inference holds at each step, from the lives of its tensors.
#pragma once

#include <vector>

#include "predict/fusion.h"

namespace assay::predict {

struct MemoryStep {
  std::size_t group = 0;               // index of the group that runs
  std::uint64_t activation_bytes = 0;  // live while it runs: inputs, outputs and what waits
};

struct MemoryUse {
  std::uint64_t weight_bytes = 0;
  std::vector<MemoryStep> timeline;  // one for each group
  std::size_t peak = 0;              // index into the timeline
  std::uint64_t peak_bytes() const;  // weights and the activations of the peak
};

/// Tensors live from the group that makes them to the last that reads them; the model's inputs and
/// outputs live throughout. Views share what they rename; a pointwise operator writes over an input
/// of its size that nobody reads later; what stays inside a group takes nothing.
MemoryUse UseMemory(const model::Graph& graph, const std::vector<Cost>& costs,
                    const std::vector<Group>& groups, Precision precision);

}  // namespace assay::predict
