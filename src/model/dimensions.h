// The free dimensions of an ONNX file's inputs: what they are called, and whether the sizes that
// were given fit. Internal.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/result.h"
#include "tensor/tensor.h"

namespace onnx {
class GraphProto;
class TensorShapeProto_Dimension;
}  // namespace onnx

namespace assay::model {

using Sizes = std::map<std::string, std::int64_t>;    // by name of a free dimension (--dim)
using Shapes = std::map<std::string, tensor::Shape>;  // by input (--input-shape); "": the only one

/// What --dim calls a dimension: the file's own name for it, or "INPUT.AXIS" where it has none, or
/// one without letters ("?"), which exporters give to different axes.
std::string NameOf(const onnx::TensorShapeProto_Dimension& dimension, const std::string& input,
                   int axis);

/// Whether the file fixes it; it may write -1 for one that it does not.
bool IsFixed(const onnx::TensorShapeProto_Dimension& dimension);

/// Shapes that were asked for, under the inputs' names.
/// Errors  kInvalidArgument for no input, another rank, and an axis that the file fixes otherwise.
Result<Shapes> CheckShapes(const onnx::GraphProto& graph, const Shapes& asked);

/// Whether `sizes` names every free dimension of the inputs that have no shape in `shapes`, and
/// nothing else, with sizes above 0.
/// Errors  kInvalidArgument: a size below 1; names that are not there, with the nearest; all
///         dimensions without a size at once, with inputs and axes. The hint is the whole of the
///         options to give.
Status CheckDimensions(const onnx::GraphProto& graph, const Sizes& sizes, const Shapes& shapes);

/// Sizes for those that CheckDimensions misses, in the order in which to try them: pictures,
/// sequences and channels as they are usual, then smaller ones.
std::vector<Sizes> Guesses(const onnx::GraphProto& graph, const Sizes& sizes, const Shapes& shapes);

/// The options that give a model these sizes.
std::string OptionsFor(const onnx::GraphProto& graph, const Sizes& sizes, const Shapes& shapes);

}  // namespace assay::model
