// The outputs that others are judged by: computed once in workers of their own, kept below
// home/references, found there by later runs.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "base/result.h"
#include "campaign/session.h"
#include "campaign/worker.h"
#include "engine/protocol.h"

namespace assay::campaign {

struct ReferenceSpec {
  std::string key;  // of everything that the outputs depend on; a file name
  WorkerSpec worker;
  engine::Job job;
  Timeouts timeouts;
};

struct Reference {
  std::filesystem::path outputs;
  std::uint64_t peak_rss_bytes = 0;
};

/// Errors  the worker's (see worker.h); kIo; kInterrupted.
Result<Reference> ComputeReference(const ReferenceSpec& spec, const std::filesystem::path& folder,
                                   Workshop& workshop);

}  // namespace assay::campaign
