// A user's weights for a model of the zoo: strictly by name and shape, so that nothing is silently
// left random.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "tensor/safetensors.h"

namespace assay::zoo {

/// Whether `checkpoint` has each of `wanted` in float32 and nothing besides (batch norm's
/// num_batches_tracked is passed over: inference does not use it).
/// Errors  kInvalidArgument listing what is missing (with the nearest names), unexpected or of
///         another type.
Status CheckCheckpoint(const tensor::SafetensorsFile& checkpoint, const std::string& file,
                       const std::vector<tensor::Declared>& wanted, const std::string& model);

}  // namespace assay::zoo
