// Outputs of one job, written by a worker of its own.
#pragma once

#include <cstdint>
#include <filesystem>

#include "base/result.h"
#include "campaign/session.h"
#include "campaign/worker.h"
#include "engine/protocol.h"

namespace assay::campaign {

/// Loads the job and writes its outputs for all input sets to `path`. Returns the worker's peak
/// memory in bytes. Errors  those of the worker.
Result<std::uint64_t> WriteOutputs(const WorkerSpec& spec, const engine::Job& job,
                                   const std::filesystem::path& path, const Timeouts& timeouts,
                                   Workshop& workshop);

}  // namespace assay::campaign
