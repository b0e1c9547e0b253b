// MODEL as `python:TARGET`: a PyTorch module of the user's, captured once into the cache by the
// environment's Python and loaded from there as long as nothing that it was made of has changed.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

#include "base/result.h"
#include "cli/model_options.h"
#include "model/model.h"
#include "tensor/tensor.h"

namespace assay::cli {

inline constexpr std::string_view kPythonPrefix = "python:";

struct PythonModel {
  std::string target;  // "package.module:callable" or "path/file.py:callable"
  std::int64_t batch_size = 1;
  std::string input_shape;  // "": example_inputs() says it
  std::string weights;      // a checkpoint, "" for what the callable gives
  std::uint64_t seed = 0;
  double stage_timeout_s = 1800;
};

/// home  assay's own folder; its models/ holds what was captured
/// tell  is told when a capture begins, and what it is at when that takes long
/// Errors  kTimedOut naming the stage that took longer than it may; kInvalidArgument with what is
///         wrong with the target, its inputs or its weights; kUnavailable when the Python side was
///         not built; kIo.
Result<model::Model> LoadPythonModel(const PythonModel& wanted, const std::filesystem::path& home,
                                     const Tell& tell);

}  // namespace assay::cli
