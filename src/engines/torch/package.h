// A model compiled by AOTInductor, loaded from its unpacked package.
#pragma once

#include <filesystem>
#include <memory>

#include "base/result.h"
#include "engines/torch/executable.h"

namespace assay::engine_torch {

/// Loads `artifact`/package, where `prepare` of the pytorch engine unpacked it, in place.
///
/// threads  must be the number that it was compiled for: Inductor writes it into the code
/// Errors  kNotFound without a package; kInvalidArgument for another number of threads or another
///         PyTorch; else what PyTorch says.
Result<std::unique_ptr<Executable>> LoadPackage(const std::filesystem::path& artifact, int threads);

}  // namespace assay::engine_torch
