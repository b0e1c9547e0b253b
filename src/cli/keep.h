// `--keep DIR`: the winner's artifact, and the few lines that run it with the same options.
#pragma once

#include <filesystem>
#include <span>
#include <string>

#include "base/result.h"
#include "model/model.h"
#include "record/record.h"

namespace assay::cli {

/// Fills `folder` (empty before) for the recommended arm; `models` are those that were measured,
/// one for each batch size. Returns a line for the story: what lies there and how to run it, or why
/// there is nothing to keep. Errors  kIo.
Result<std::string> Keep(const record::Run& run, std::span<const model::Model> models,
                         const std::filesystem::path& folder);

}  // namespace assay::cli
