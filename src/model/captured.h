// A captured Python model: the folder that src/engines/pytorch/capture.py filled, as a Model.
#pragma once

#include <filesystem>
#include <map>
#include <string>

#include "base/result.h"
#include "model/model.h"

namespace assay::model {

inline constexpr char kModuleFile[] = "module.json";

/// Reads `folder`/module.json (schema assay.module/1) and, where it was written, model.onnx. An
/// ONNX file that cannot be read, or takes other inputs than the module, counts as not written: the
/// model's `module->no_onnx` says why.
/// Errors  kNotFound, kMalformed.
Result<Model> LoadCaptured(const std::filesystem::path& folder);

/// The files that the module's code lies in, or that it read, with their SHA-256 when it was
/// captured.
/// Errors  kNotFound, kMalformed.
Result<std::map<std::string, std::string>> SourcesOf(const std::filesystem::path& folder);

}  // namespace assay::model
