// The free dimensions of an ONNX file's inputs: what they are called, and whether the sizes that
// were given fit. Internal.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "base/result.h"

namespace onnx {
class GraphProto;
class TensorShapeProto_Dimension;
}  // namespace onnx

namespace assay::model {

/// What --dim calls a dimension: the file's own name for it, or "INPUT.AXIS" where it has none.
std::string NameOf(const onnx::TensorShapeProto_Dimension& dimension, const std::string& input,
                   int axis);

/// Whether `sizes` names every free dimension of the inputs and nothing else, with sizes above 0.
/// Errors  kInvalidArgument: a size below 1; names that are not there, with the nearest; all
///         dimensions without a size at once, with inputs and axes. The hint is the whole of the
///         options to give.
Status CheckDimensions(const onnx::GraphProto& graph,
                       const std::map<std::string, std::int64_t>& sizes);

}  // namespace assay::model
