// Protobuf's side of a model: reading the file, checking it, and its tensors and attributes as
// ours. Internal to this room.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "model/graph.h"
#include "model/model.h"
#include "tensor/tensor.h"

namespace onnx {
class AttributeProto;
class GraphProto;
class ModelProto;
class TensorProto;
}  // namespace onnx

namespace assay::model {

/// Parses from a mapping. Errors  kNotFound, kIo; kMalformed when it is no whole ONNX file.
Status ParseModel(const std::filesystem::path& path, onnx::ModelProto& model);

/// Load of model.h; leaves in `proto` what it read: functions inlined, nodes in order.
Result<Model> LoadInto(onnx::ModelProto& proto, const std::filesystem::path& onnx,
                       const LoadOptions& options);

/// Brings the nodes into an order in which each reads what earlier ones make, bodies of control
/// flow too. A cycle stays as it is; the checker refuses it.
void SortNodes(onnx::GraphProto& graph);

/// Refuses names that are no text and numbers that inference would overflow with, then runs ONNX's
/// checker, which also refuses external data that is a link (see linked.h), absolute or outside the
/// file's folder. It is not asked where the standard lacks an operator or opset: runtimes may know
/// it. Errors  kMalformed, naming the node.
Status CheckModel(const onnx::ModelProto& model, const std::filesystem::path& path);

/// Whether `domain` is the standard's: "" or its long name.
bool IsStandard(std::string_view domain);

/// Runs `read` and turns what ONNX's library throws into an Error{kMalformed} of one line.
Status CatchOnnx(std::string_view what, const std::function<Status()>& read);

/// Errors  kUnsupported for element types that assay has no name for (complex, 8-bit floats, 4
/// bits).
Result<tensor::DType> DTypeOf(int onnx_type);
int OnnxTypeOf(tensor::DType dtype);

/// Element type and shape. Errors  kMalformed for shapes that overflow.
Result<tensor::Type> TypeOf(const onnx::TensorProto& proto);

/// The content of a tensor whose data lies inside the graph.
Result<tensor::Tensor> ReadTensor(const onnx::TensorProto& proto);

Result<Attribute> ReadAttribute(const onnx::AttributeProto& proto);

}  // namespace assay::model
