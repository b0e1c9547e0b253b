// What ONNX's own shape inference would not survive of a Resize. Internal.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "model/graph.h"

namespace assay::model {

/// ONNX's inference of Resize and Upsample casts sizes times scales to integers, whatever they are,
/// and divides by axes without elements.
///
/// name    of the node in the file, which may be ""
/// inputs  the node's, null for those left out; constants as far as they are known
/// Errors  kMalformed naming node, size and scale. Good for all other operators.
Status CheckResize(const Node& node, const std::string& name,
                   const std::vector<const Value*>& inputs);

}  // namespace assay::model
