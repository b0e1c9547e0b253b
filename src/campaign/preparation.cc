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

constexpr double kLockRetryS = 0.2;
constexpr double kMemoryTimeoutS = 60;

/// Waits for the lock of `path`; whoever holds it prepares the same artifact.
Result<Descriptor> Lock(const std::filesystem::path& path, const std::string& what,
                        Workshop& workshop, Progress& progress) {
  Descriptor file(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666));
  if (!file.valid()) {
    return Error{Code::kIo, fmt::format("cannot make {}: {}", path.string(), std::strerror(errno)),
                 "set ASSAY_HOME to a folder that can be written"};
  }
  bool said = false;
  while (::flock(file.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK && errno != EINTR) {
      return Error{Code::kIo,
                   fmt::format("cannot lock {}: {}", path.string(), std::strerror(errno)), ""};
    }
    if (!std::exchange(said, true)) {
      progress.Say(fmt::format("{}: another run is preparing it, waiting for that", what));
    }
    ASSAY_TRY(workshop.Pause(kLockRetryS));
  }
  return file;
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

Json ManifestOf(const Artifact& artifact) {
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

Result<Artifact> Prepare(const PreparationSpec& spec, const std::filesystem::path& files,
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
  ASSAY_ASSIGN(const std::unique_ptr<Worker> worker, workshop.Start(spec.worker));
  ASSAY_ASSIGN(const Json reply,
               worker->Ask(engine::MakeRequest("prepare", engine::ToJson(job)), spec.timeout_s));
  ASSAY_ASSIGN(engine::Prepared prepared, engine::PreparedFromJson(reply));
  ASSAY_ASSIGN(const Json after,
               worker->Ask(engine::MakeRequest("memory", {{"reset", false}}), kMemoryTimeoutS));
  ASSAY_ASSIGN(const engine::Memory memory, engine::MemoryFromJson(after));
  worker->Close();
  return Artifact{.folder = files,
                  .seconds = prepared.seconds,
                  .bytes = BytesBelow(files),
                  .peak_rss_bytes = memory.peak_rss_bytes,
                  .notes = std::move(prepared.notes),
                  .doubt = std::move(prepared.doubt)};
}

}  // namespace

Result<Artifact> PrepareArtifact(const PreparationSpec& spec, const std::filesystem::path& root,
                                 Workshop& workshop, Progress& progress) {
  const std::filesystem::path folder = root / spec.key;
  const std::filesystem::path manifest = folder / "manifest.json";
  std::error_code ignored;  // the lock file says it better
  std::filesystem::create_directories(folder, ignored);
  ASSAY_ASSIGN(const Descriptor lock,
               Lock(root / (spec.key + ".lock"), spec.job.conversion, workshop, progress));
  if (Result<Artifact> done = ReadManifest(manifest); done.ok()) {
    return done;
  }
  progress.Say(fmt::format("{}: preparing (once, then kept)", spec.job.conversion));
  ASSAY_ASSIGN(Artifact artifact, Prepare(spec, folder / "files", workshop));
  ASSAY_TRY(WriteFileAtomically(manifest, ManifestOf(artifact).dump(2)));
  return artifact;
}

std::string CacheKey(const std::string& name, const std::vector<std::string>& parts) {
  Sha256 hash;
  for (const std::string& part : parts) {
    hash.Update(fmt::format("{}:", part.size()));
    hash.Update(part);
  }
  std::string key;
  for (const char c : name) {
    key += std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-' || c == '_' ? c : '-';
  }
  return key + "-" + hash.Finish().substr(0, 16);
}

}  // namespace assay::campaign
