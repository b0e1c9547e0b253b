// What the torch engine runs: a model bound to its weights, by replay or from a compiled package.
#pragma once

#include <ATen/core/Tensor.h>

#include <vector>

#include "base/result.h"

namespace assay::engine_torch {

class Executable {
 public:
  virtual ~Executable() = default;

  /// One inference. `inputs` in the program's order; outputs likewise. The caller holds a
  /// c10::InferenceMode guard.
  /// Errors  of the runtime, with the operator where it is known.
  virtual Result<std::vector<at::Tensor>> Run(const std::vector<at::Tensor>& inputs) = 0;
};

}  // namespace assay::engine_torch
