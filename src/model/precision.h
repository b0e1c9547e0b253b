// The class of numbers that a model computes in, as its file has it.
#pragma once

#include <string>

#include "model/graph.h"

namespace assay::model {

inline constexpr const char* kQuantised = "int8-qdq";

/// kQuantised when the graph quantises or dequantises anything, else the type of most of its
/// floating-point weights (by elements; of its nodes' results where it has no weights): "fp32",
/// "fp16", "bf16", "fp64".
std::string PrecisionOf(const Graph& graph);

}  // namespace assay::model
