// What ONNX's own shape inference would not survive, or lets pass, of sizes and axes. Internal.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "model/graph.h"

namespace assay::model {

/// ONNX's inference of Resize, Upsample, Range and STFT casts to integers what comes of their
/// operands, whatever it is, and divides by axes without elements and by steps of nothing. That of
/// Transpose takes any list of axes.
///
/// name    of the node in the file, which may be ""
/// inputs  the node's, null for those left out; constants as far as they are known
/// Errors  kMalformed naming node and numbers. Good for all other operators.
Status CheckSizes(const Node& node, const std::string& name,
                  const std::vector<const Value*>& inputs);

}  // namespace assay::model
