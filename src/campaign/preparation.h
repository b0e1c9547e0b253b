// The artifact of an arm: exported, compiled or packed once, in a worker of its own, kept below
// home/artifacts and found there by later runs. Safe under two runs at once.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "base/result.h"
#include "campaign/progress.h"
#include "campaign/worker.h"
#include "engine/protocol.h"

namespace assay::campaign {

/// What the manifest beside a finished artifact says.
struct Artifact {
  std::filesystem::path folder;  // Job::artifact
  double seconds = 0;            // that preparing took, when it was done
  std::uint64_t bytes = 0;       // of all files in the folder
  std::uint64_t peak_rss_bytes = 0;
  std::vector<std::string> notes;
  std::string doubt = {};  // engine::Prepared::doubt
  bool cached = false;     // prepared by an earlier run
};

struct PreparationSpec {
  std::string key;  // of everything that the artifact depends on; a file name
  WorkerSpec worker;
  engine::Job job;  // `artifact` is filled in
  double timeout_s = 1800;
};

/// The artifact for `spec.key` below `root` (home/artifacts): KEY/files, KEY/manifest.json and the
/// lock KEY.lock. Packages may hold absolute paths, so the folder is prepared where it stays; one
/// without a manifest is what an interrupted preparation left, and is done again.
/// Errors  the worker's (see worker.h); kIo; kInterrupted.
Result<Artifact> PrepareArtifact(const PreparationSpec& spec, const std::filesystem::path& root,
                                 Workshop& workshop, Progress& progress);

/// A file name that is the same for the same parts and differs for others: NAME-HASH.
std::string CacheKey(const std::string& name, const std::vector<std::string>& parts);

}  // namespace assay::campaign
