// The artifact of an arm: exported, compiled or packed once, in a worker of its own, kept below
// home/artifacts and found there by later runs. Safe under two runs at once.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/file.h"
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
  std::string label;  // of the arm, for the story; "": the job's conversion
  std::string key;    // of everything that the artifact depends on; a file name
  WorkerSpec worker;
  engine::Job job;  // `artifact` is filled in
  double timeout_s = 1800;
  bool alone = false;  // times kernels to choose among them: nothing else may be prepared meanwhile
};

/// A preparation under way: whoever holds the lock prepares that artifact.
struct Preparing {
  Descriptor lock;
  std::unique_ptr<Worker> worker;  // none: there was nothing to do
  std::optional<Artifact> found;   // and this is why
};

/// Begins it: finds what an earlier run prepared, or starts a worker and sends it the request.
/// Nothing when another run holds the lock. Errors  as those of PrepareArtifact.
Result<std::optional<Preparing>> BeginPreparing(const PreparationSpec& spec,
                                                const std::filesystem::path& root,
                                                Workshop& workshop, Progress& progress);
/// Ends it: waits for the worker's answer, writes the manifest.
///
/// beside  others were prepared meanwhile, so that it took longer than alone
Result<Artifact> FinishPreparing(Preparing preparing, const PreparationSpec& spec,
                                 const std::filesystem::path& root, bool beside);

inline constexpr double kLockRetryS = 0.2;
void SayThatItWaits(const PreparationSpec& spec, Progress& progress);

/// Whether an earlier run has prepared it.
bool IsPrepared(const PreparationSpec& spec, const std::filesystem::path& root);

/// All of it: the artifact for `spec.key` below `root` (home/artifacts): KEY/files,
/// KEY/manifest.json and the lock KEY.lock. Packages may hold absolute paths, so the folder is
/// prepared where it stays; one without a manifest is what an interrupted preparation left, and is
/// done again. Errors  the worker's (see worker.h); kIo; kInterrupted.
Result<Artifact> PrepareArtifact(const PreparationSpec& spec, const std::filesystem::path& root,
                                 Workshop& workshop, Progress& progress);

/// A file name that is the same for the same parts and differs for others: NAME-HASH.
std::string CacheKey(const std::string& name, const std::vector<std::string>& parts);

}  // namespace assay::campaign
