#include "campaign/preparation.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>

#include <cerrno>
#include <cstring>
#include <system_error>

#include "base/file.h"
#include "base/json.h"

namespace assay::campaign {
namespace {

constexpr double kMemoryTimeoutS = 60;

/// The lock of `path`; nothing when another holds it.
Result<std::optional<Descriptor>> TryLock(const std::filesystem::path& path) {
  Descriptor file(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666));
  if (!file.valid()) {
    return Error{Code::kIo, fmt::format("cannot make {}: {}", path.string(), std::strerror(errno)),
                 "set ASSAY_HOME to a folder that can be written"};
  }
  while (::flock(file.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno == EWOULDBLOCK) {
      return std::optional<Descriptor>();
    }
    if (errno != EINTR) {
      return Error{Code::kIo,
                   fmt::format("cannot lock {}: {}", path.string(), std::strerror(errno)), ""};
    }
  }
  return std::optional(std::move(file));
}

const std::string& NameOf(const PreparationSpec& spec) {
  return spec.label.empty() ? spec.job.conversion : spec.label;
}

std::uint64_t BytesBelow(const std::filesystem::path& folder) {
  std::uint64_t bytes = 0;
  std::error_code error;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder, error)) {
    if (entry.is_regular_file(error) && !entry.is_symlink(error)) {
      bytes += entry.file_size(error);
    }
  }
  return bytes;
}

Json ToJson(const Artifact& artifact) {
  return {{"seconds", artifact.seconds},
          {"bytes", artifact.bytes},
          {"peak_rss_bytes", artifact.peak_rss_bytes},
          {"notes", artifact.notes},
          {"doubt", artifact.doubt}};
}

Result<Artifact> ReadManifest(const std::filesystem::path& path) {
  ASSAY_ASSIGN(const Json json, ReadJson(path));
  return FromJson(path.string(), [&] {
    return Artifact{.folder = path.parent_path() / "files",
                    .seconds = json.at("seconds").get<double>(),
                    .bytes = json.at("bytes").get<std::uint64_t>(),
                    .peak_rss_bytes = json.at("peak_rss_bytes").get<std::uint64_t>(),
                    .notes = json.at("notes").get<std::vector<std::string>>(),
                    .doubt = json.value("doubt", ""),
                    .cached = true};
  });
}

std::filesystem::path ManifestOf(const PreparationSpec& spec, const std::filesystem::path& root) {
  return root / spec.key / "manifest.json";
}

/// A worker that was asked to prepare into `files`, which is emptied.
Result<std::unique_ptr<Worker>> StartPreparing(const PreparationSpec& spec,
                                               const std::filesystem::path& files,
                                               Workshop& workshop) {
  std::error_code error;
  std::filesystem::remove_all(files, error);
  std::filesystem::create_directories(files, error);
  if (error) {
    return Error{Code::kIo, fmt::format("cannot make {}: {}", files.string(), error.message()),
                 "set ASSAY_HOME to a folder that can be written"};
  }
  engine::Job job = spec.job;
  job.artifact = files;
  ASSAY_ASSIGN(std::unique_ptr<Worker> worker, workshop.Start(spec.worker));
  worker->Send(engine::MakeRequest("prepare", engine::ToJson(job)), spec.timeout_s);
  return worker;
}

}  // namespace

Result<std::optional<Preparing>> BeginPreparing(const PreparationSpec& spec,
                                                const std::filesystem::path& root,
                                                Workshop& workshop, Progress& progress) {
  std::error_code ignored;  // the lock file says it better
  std::filesystem::create_directories(root / spec.key, ignored);
  ASSAY_ASSIGN(std::optional<Descriptor> lock, TryLock(root / (spec.key + ".lock")));
  if (!lock) {
    return std::optional<Preparing>();
  }
  Preparing preparing{.lock = *std::move(lock), .worker = nullptr, .found = {}};
  if (Result<Artifact> found = ReadManifest(ManifestOf(spec, root)); found.ok()) {
    preparing.found = *std::move(found);
    return std::optional(std::move(preparing));
  }
  progress.Say(fmt::format("{}: preparing (once, then kept)", NameOf(spec)));
  ASSAY_ASSIGN(preparing.worker, StartPreparing(spec, root / spec.key / "files", workshop));
  return std::optional(std::move(preparing));
}

Result<Artifact> FinishPreparing(Preparing preparing, const PreparationSpec& spec,
                                 const std::filesystem::path& root, bool beside) {
  if (preparing.found) {
    return *std::move(preparing.found);
  }
  Worker& worker = *preparing.worker;
  ASSAY_ASSIGN(const Json reply, worker.Receive());
  ASSAY_ASSIGN(engine::Prepared prepared, engine::PreparedFromJson(reply));
  ASSAY_ASSIGN(const Json after,
               worker.Ask(engine::MakeRequest("memory", {{"reset", false}}), kMemoryTimeoutS));
  ASSAY_ASSIGN(const engine::Memory memory, engine::MemoryFromJson(after));
  worker.Close();
  const std::filesystem::path files = root / spec.key / "files";
  Artifact artifact{.folder = files,
                    .seconds = prepared.seconds,
                    .bytes = BytesBelow(files),
                    .peak_rss_bytes = memory.peak_rss_bytes,
                    .notes = std::move(prepared.notes),
                    .doubt = std::move(prepared.doubt)};
  if (beside) {
    artifact.notes.emplace_back("prepared while others were, which takes longer than alone");
  }
  ASSAY_TRY(WriteFileAtomically(ManifestOf(spec, root), ToJson(artifact).dump(2)));
  return artifact;
}

bool IsPrepared(const PreparationSpec& spec, const std::filesystem::path& root) {
  std::error_code error;
  return std::filesystem::exists(ManifestOf(spec, root), error);
}

Result<Artifact> PrepareArtifact(const PreparationSpec& spec, const std::filesystem::path& root,
                                 Workshop& workshop, Progress& progress) {
  bool said = false;
  while (true) {
    ASSAY_ASSIGN(std::optional<Preparing> preparing,
                 BeginPreparing(spec, root, workshop, progress));
    if (preparing) {
      return FinishPreparing(*std::move(preparing), spec, root, /*beside=*/false);
    }
    if (!std::exchange(said, true)) {
      SayThatItWaits(spec, progress);
    }
    ASSAY_TRY(workshop.Pause(kLockRetryS));
  }
}

void SayThatItWaits(const PreparationSpec& spec, Progress& progress) {
  progress.Say(fmt::format("{}: another run is preparing it, waiting for that", NameOf(spec)));
}

std::string CacheKey(const std::string& name, const std::vector<std::string>& parts) {
  Sha256 hash;
  for (const std::string& part : parts) {
    hash.Update(fmt::format("{}:", part.size()));
    hash.Update(part);
  }
  return AsFileName(name, '-') + "-" + hash.Finish().substr(0, 16);
}

}  // namespace assay::campaign
