// A small constant folder for the shape arithmetic that exporters write (Shape, Gather, Range,
// Concat, ...), on top of ONNX's inferred types. Not meant for weights. Internal.
#pragma once

#include <optional>
#include <vector>

#include "model/graph.h"

namespace assay::model {

/// The value of the node's only output, of type `output`; nothing when an input is not known, the
/// operator is none of the folded ones, the result is not representable or larger than shape
/// arithmetic ever is.
///
/// inputs  in the node's order, null for those left out
std::optional<tensor::Tensor> Fold(const Node& node, const std::vector<const Value*>& inputs,
                                   const tensor::Type& output);

}  // namespace assay::model
