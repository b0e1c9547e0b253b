// ONNX's own shape inference, one node at a time, fed with the constants folded so far. Internal.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "tensor/tensor.h"

namespace onnx {
class ModelProto;
class NodeProto;
}  // namespace onnx

namespace assay::model {

class NodeInference {
 public:
  explicit NodeInference(const onnx::ModelProto& model);
  ~NodeInference();

  /// Makes a value known to the nodes that follow. `content` may be null.
  void Add(const std::string& name, const tensor::Type& type, const tensor::Tensor* content);

  /// Types of the node's outputs in order; those of outputs left out are meaningless.
  /// Errors  kMalformed when the inputs contradict the operator; kUnsupported when a shape depends
  ///         on data, for results that are no tensors and for operators unknown to ONNX.
  Result<std::vector<tensor::Type>> Infer(onnx::NodeProto& node);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace assay::model
