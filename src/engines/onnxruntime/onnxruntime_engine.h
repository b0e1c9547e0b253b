// ONNX Runtime on the CPU: runs the ONNX graph as it is.
#pragma once

#include <optional>
#include <string>

#include "engine/engine.h"
#include "engines/onnxruntime/session.h"

namespace assay::engine::onnxruntime {

class OnnxRuntimeEngine : public Engine {
 public:
  OnnxRuntimeEngine() : version_(OpenLibrary()) {}

  Description Describe() override;
  Status Examine(const std::string& onnx) override;
  Result<Loaded> Load(const Job& job, const tensor::SafetensorsFile& inputs) override;
  Status Infer(int set) override;
  Result<std::vector<tensor::Tensor>> Outputs() override;

 private:
  Result<std::string> version_;
  std::optional<Ort::Env> env_;
  std::optional<BoundSession> session_;
  int set_ = 0;
};

}  // namespace assay::engine::onnxruntime
