// Another batch size for an ONNX file that fixes one: a copy with that batch, as far as shapes can
// tell. Whether it computes the same is for those to verify who have a runtime (campaign).
#pragma once

#include <cstdint>
#include <filesystem>

#include "base/result.h"
#include "model/model.h"

namespace assay::model {

/// Loads a copy of `model` with the first axis of every input changed to `batch`, made once below
/// `cache`; Model::original says what it was made of. Constants of Reshape and Expand whose leading
/// element is the old batch change with it, and nothing else.
/// Errors  kUnsupported when the inputs do not share one fixed first axis, or when inference does
/// not
///         find every output with the new first axis and otherwise as it was; kIo.
Result<Model> LoadWithBatch(const Model& model, const LoadOptions& options, std::int64_t batch,
                            const std::filesystem::path& cache);

}  // namespace assay::model
