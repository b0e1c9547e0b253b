// assay graph --diff: where in a graph an engine begins to compute something else.
#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"
#include "model/model.h"

namespace assay::cli {

/// Runs the model on random inputs of `seed`, with the values between its nodes as outputs. Returns
/// the exit status: 0 when all agree, 1 when one does not.
/// Errors  kInvalidArgument for an engine that reads no ONNX files; kTimedOut when too few values
///         could be compared to tell.
Result<int> DiffGraph(const model::Model& model, const std::string& engine, std::uint64_t seed,
                      bool json);

}  // namespace assay::cli
