// Building a model of the zoo into the cache, once.
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <optional>

#include "base/file.h"
#include "base/json.h"
#include "zoo/architecture.h"
#include "zoo/checkpoint.h"
#include "zoo/zoo.h"

namespace assay::zoo {
namespace {

namespace fs = std::filesystem;

constexpr char kManifestFile[] = "manifest.json";

/// Everything that decides the files' content: the serialized graph, how each weight is drawn, the
/// seed; of a user's weights path, size and time of change, which spares reading them each time.
Result<std::string> KeyOf(const Architecture& architecture, const BuildOptions& options) {
  Sha256 hash;
  hash.Update(architecture.onnx);
  if (options.weights.empty()) {
    for (std::size_t i = 0; i < architecture.weights.size(); ++i) {
      hash.Update(Describe(architecture.initials[i]) + "\n");
    }
    hash.Update(fmt::format("seed {}", options.seed));
  } else {
    struct stat info{};
    if (::stat(options.weights.c_str(), &info) != 0) {
      return Error{
          Code::kNotFound,
          fmt::format("cannot open {}: {}", options.weights.string(), std::strerror(errno)), ""};
    }
    hash.Update(fmt::format("weights {} {} {}.{}", fs::absolute(options.weights).string(),
                            info.st_size, info.st_mtim.tv_sec, info.st_mtim.tv_nsec));
  }
  return hash.Finish().substr(0, 16);
}

/// A folder beside its final place, removed unless it was moved there.
class PendingFolder {
 public:
  static Result<PendingFolder> Make(const fs::path& parent) {
    std::error_code error;
    fs::create_directories(parent, error);
    std::string name = (parent / ".building-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) {
      return Error{Code::kIo,
                   fmt::format("cannot write {}: {}", parent.string(), std::strerror(errno)),
                   "ASSAY_HOME names another place for assay's files"};
    }
    return PendingFolder(name);
  }
  PendingFolder(PendingFolder&& other) noexcept : path_(std::exchange(other.path_, {})) {}
  PendingFolder& operator=(PendingFolder&&) = delete;
  ~PendingFolder() {
    std::error_code ignored;
    if (!path_.empty()) {
      fs::remove_all(path_, ignored);
    }
  }

  const fs::path& path() const { return path_; }

  /// Another process may have been faster: then its folder, the same in content, stays.
  Status MoveTo(const fs::path& place) {
    if (::rename(path_.c_str(), place.c_str()) == 0) {
      path_.clear();
    } else if (errno != EEXIST && errno != ENOTEMPTY) {
      return Error{Code::kIo,
                   fmt::format("cannot write {}: {}", place.string(), std::strerror(errno)), ""};
    }
    return {};
  }

 private:
  explicit PendingFolder(fs::path path) : path_(std::move(path)) {}
  fs::path path_;
};

using Sink = std::function<Status(std::span<const std::byte>)>;
using Fill = std::function<Status(std::size_t, const Sink&)>;

/// Writes the weights and returns the model's hash: of the graph, then of each weight's bytes.
Result<std::string> WriteWeights(const Architecture& architecture, const Fill& fill,
                                 const fs::path& folder) {
  Sha256 hash;
  hash.Update(architecture.onnx);
  ASSAY_TRY(tensor::WriteSafetensors(folder / kWeightsFile, architecture.weights,
                                     [&](std::size_t i, const Sink& sink) {
                                       return fill(i, [&](std::span<const std::byte> bytes) {
                                         hash.Update(bytes);
                                         return sink(bytes);
                                       });
                                     }));
  return hash.Finish();
}

Result<std::string> WriteRandom(const Architecture& architecture, std::uint64_t seed,
                                const fs::path& folder) {
  return WriteWeights(
      architecture,
      [&](std::size_t i, const Sink& sink) {
        const tensor::Declared& weight = architecture.weights[i];
        return Draw(weight.name, seed, architecture.initials[i],
                    *tensor::ElementCount(weight.type.shape), sink);
      },
      folder);
}

Result<std::string> WriteCheckpoint(const Architecture& architecture, const Entry& entry,
                                    const fs::path& weights, const fs::path& folder) {
  ASSAY_ASSIGN(const tensor::SafetensorsFile file, tensor::SafetensorsFile::Open(weights));
  ASSAY_TRY(CheckCheckpoint(file, weights.string(), architecture.weights, entry.name));
  return WriteWeights(
      architecture,
      [&](std::size_t i, const Sink& sink) {
        return sink(file.Bytes(*file.Find(architecture.weights[i].name)));
      },
      folder);
}

Status WriteModel(const Architecture& architecture, const Entry& entry, const BuildOptions& options,
                  const fs::path& place) {
  ASSAY_ASSIGN(PendingFolder pending, PendingFolder::Make(place.parent_path()));
  const fs::path& folder = pending.path();
  ASSAY_ASSIGN(const std::string sha256,
               options.weights.empty()
                   ? WriteRandom(architecture, options.seed, folder)
                   : WriteCheckpoint(architecture, entry, options.weights, folder));
  ASSAY_TRY(WriteFileAtomically(folder / kGraphFile, architecture.onnx));
  Json manifest = {{"model", entry.name},
                   {"batch_size", options.batch_size},
                   {"weights", options.weights.empty() ? "random" : "file"},
                   {"parameters", entry.parameters},
                   {"sha256", sha256}};
  if (options.weights.empty()) {
    manifest["seed"] = options.seed;
  } else {
    manifest["weights_file"] = fs::absolute(options.weights).string();
  }
  ASSAY_TRY(WriteFileAtomically(folder / kManifestFile, manifest.dump(2) + "\n"));
  return pending.MoveTo(place);
}

Result<model::Model> LoadFrom(const fs::path& folder, const Entry& entry) {
  ASSAY_ASSIGN(const Json manifest, ReadJson(folder / kManifestFile));
  model::LoadOptions options;
  ASSAY_ASSIGN(options.known_sha256, FromJson((folder / kManifestFile).string(), [&] {
                 return manifest.at("sha256").get<std::string>();
               }));
  ASSAY_ASSIGN(model::Model model, model::Load(folder / kGraphFile, options));
  model.name = entry.name;
  model.source = "zoo";
  model.weights = manifest.value("weights", "");
  return model;
}

}  // namespace

Result<model::Model> Build(const Entry& entry, const BuildOptions& options,
                           const std::filesystem::path& cache) {
  if (options.batch_size < 1 || options.batch_size > kMostBatch) {
    return Error{
        Code::kInvalidArgument,
        fmt::format("batch size {} is not between 1 and {}", options.batch_size, kMostBatch), ""};
  }
  const Architecture architecture = BuildArchitecture(entry, options.batch_size);
  ASSAY_ASSIGN(const std::string key, KeyOf(architecture, options));
  const fs::path place = cache / fmt::format("{}-b{}-{}", entry.name, options.batch_size, key);
  if (fs::exists(place)) {
    Result<model::Model> found = LoadFrom(place, entry);
    if (found) {
      return found;
    }
    std::error_code ignored;  // damaged: build it again
    fs::remove_all(place, ignored);
  }
  ASSAY_TRY(WriteModel(architecture, entry, options, place));
  return LoadFrom(place, entry);
}

}  // namespace assay::zoo
