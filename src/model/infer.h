// ONNX's own shape inference, one node at a time, fed with the constants folded so far. Internal.
#pragma once

#include <vector>

#include "base/result.h"
#include "model/graph.h"

namespace onnx {
class NodeProto;
}  // namespace onnx

namespace assay::model {

/// Types of the node's outputs in order; those of outputs left out are meaningless. `inputs` are
/// those of the node in its order, null for those left out; `opset` is the standard domain's.
/// Errors  kMalformed when the inputs contradict the operator; kUnsupported when a shape depends
///         on data, for results that are no tensors and for operators unknown to ONNX.
Result<std::vector<tensor::Type>> InferTypes(const onnx::NodeProto& node, std::int64_t opset,
                                             const std::vector<const Value*>& inputs);

}  // namespace assay::model
