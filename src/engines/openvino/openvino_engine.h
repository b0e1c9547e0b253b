// OpenVINO on the CPU: compiles the ONNX graph, through its cache when there is an artifact.
#pragma once

#include <optional>
#include <vector>

// OpenVINO's headers are the vendor's: the target includes them as system headers.
#include <openvino/runtime/compiled_model.hpp>
#include <openvino/runtime/core.hpp>
#include <openvino/runtime/infer_request.hpp>

#include "engine/engine.h"
#include "engine/inputs.h"

namespace assay::engine::openvino {

class OpenVinoEngine : public Engine {
 public:
  Description Describe() override;
  /// Compiles into job.artifact, as OpenVINO's cache_dir.
  Result<Prepared> Prepare(const Job& job) override;
  Result<Loaded> Load(const Job& job, const tensor::SafetensorsFile& inputs) override;
  Status Infer(int set) override;
  Result<std::vector<tensor::Tensor>> Outputs() override;

 private:
  Result<ov::CompiledModel> Compile(const Job& job);
  Status Bind(int set, const tensor::SafetensorsFile& inputs);

  std::optional<ov::Core> core_;  // made when first needed: it may throw
  ov::CompiledModel model_;
  std::vector<AlignedBuffer> input_buffers_;
  std::vector<ov::InferRequest> requests_;  // by set, inputs bound
  int set_ = 0;
};

}  // namespace assay::engine::openvino
