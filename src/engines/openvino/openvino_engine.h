// OpenVINO on the CPU: compiles the ONNX graph, through its cache when there is an artifact.
#pragma once

#include <optional>
#include <vector>

// OpenVINO's headers are the vendor's: the target includes them as system headers.
#include <openvino/runtime/compiled_model.hpp>
#include <openvino/runtime/core.hpp>
#include <openvino/runtime/infer_request.hpp>

#include "engine/engine.h"
#include "engine/flight.h"
#include "engine/inputs.h"

namespace assay::engine::openvino {

class OpenVinoEngine : public Engine {
 public:
  OpenVinoEngine() = default;
  ~OpenVinoEngine() override;
  Description Describe() override;
  /// Compiles into job.artifact, as OpenVINO's cache_dir.
  Result<Prepared> Prepare(const Job& job) override;
  Status Examine(const std::string& onnx) override;
  Result<Loaded> Load(const Job& job, const tensor::SafetensorsFile& inputs) override;
  Status Infer(int set) override;
  int Places() const override { return flight_ ? flight_->places() : 1; }
  int InFlight() const override { return flight_ ? flight_->InFlight() : 0; }
  Status Settle(int most) override { return flight_ ? flight_->Settle(most) : Status(); }
  std::vector<double> TakeLatencies() override;
  /// With several places: of an inference on the same set, made while others run beside it.
  Result<std::vector<tensor::Tensor>> Outputs() override;

 private:
  Result<ov::CompiledModel> Compile(const Job& job);
  /// Drops a cache from which the model computes otherwise than `fresh`, and notes it.
  Status CheckCache(const ov::CompiledModel& fresh, const Job& job,
                    std::vector<std::string>& notes);
  Status Bind(int set, const tensor::SafetensorsFile& inputs);
  Result<int> Start(int set);  // in a free place; which it is
  ov::InferRequest& Request(int place, int set);

  std::optional<ov::Core> core_;  // made when first needed: it may throw
  ov::CompiledModel model_;
  std::vector<AlignedBuffer> input_buffers_;
  std::optional<Flight> flight_;                         // with several requests at a time
  std::vector<std::vector<ov::InferRequest>> requests_;  // by set, place: inputs bound
  int set_ = 0;
};

}  // namespace assay::engine::openvino
