// Asks the environment's PyTorch what its tools make of a model: assay-torch-graph, a process of
// its own beside assay.
#pragma once

#include <filesystem>
#include <string>

#include "base/result.h"
#include "view/listing.h"

namespace assay::cli {

/// form     "fx" (torch.export) or "dynamo"
/// file     the ATen program's JSON, or the module.json of a Python module
/// weights  the folder that holds its weights
/// Errors  kUnavailable when PyTorch is not in this build; kUnsupported with PyTorch's own words;
///         kCrashed when the process died.
Result<view::TorchGraphs> AskTorch(const std::string& form, const std::filesystem::path& file,
                                   const std::filesystem::path& weights);

}  // namespace assay::cli
