// The C++ engine on libtorch: eager by replay of the ATen program, AOTInductor from its package.
#pragma once

#include <ATen/core/Tensor.h>

#include <memory>
#include <string>
#include <vector>

#include "aten/program.h"
#include "engine/engine.h"
#include "engines/torch/executable.h"

namespace assay::engine_torch {

/// Serves the recipes of compiler "eager" (precision fp32, fp64, bf16, fp16) and "aot_inductor"
/// (prepared by the pytorch engine).
class TorchEngine final : public engine::Engine {
 public:
  engine::Description Describe() override;
  Result<engine::Loaded> Load(const engine::Job& job,
                              const tensor::SafetensorsFile& inputs) override;
  Status Infer(int set) override;
  Result<std::vector<tensor::Tensor>> Outputs() override;

 private:
  Status BindInputs(const aten::Program& program, int input_sets,
                    const tensor::SafetensorsFile& inputs, at::ScalarType precision);

  std::unique_ptr<Executable> executable_;
  std::vector<std::vector<at::Tensor>> input_sets_;
  std::vector<at::Tensor> outputs_;
  std::vector<std::string> output_names_;
};

}  // namespace assay::engine_torch
