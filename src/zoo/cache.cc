// Building a model of the zoo into the cache, once.
#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "base/file.h"
#include "base/json.h"
#include "base/pending_folder.h"
#include "base/text.h"
#include "tensor/fit.h"
#include "zoo/architecture.h"
#include "zoo/spellings.h"
#include "zoo/zoo.h"

namespace assay::zoo {
namespace {

namespace fs = std::filesystem;

constexpr char kManifestFile[] = "manifest.json";

/// Changes whenever the same checkpoint would be read otherwise.
constexpr char kReading[] = "weights/2";

/// Everything that decides the files' content: the serialized graph, how each weight is drawn, the
/// seed; or a checkpoint's content.
std::string KeyOf(const Architecture& architecture, const BuildOptions& options,
                  const tensor::Checkpoint* checkpoint) {
  Sha256 hash;
  hash.Update(architecture.onnx);
  if (checkpoint != nullptr) {
    hash.Update(fmt::format("{} {}", kReading, checkpoint->Sha256Sum()));
  } else {
    for (std::size_t i = 0; i < architecture.weights.size(); ++i) {
      hash.Update(Describe(architecture.initials[i]) + "\n");
    }
    hash.Update(fmt::format("seed {}", options.seed));
  }
  return hash.Finish().substr(0, 16);
}

using tensor::Sink;
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
                                    const tensor::Checkpoint& checkpoint, const fs::path& weights,
                                    const fs::path& folder) {
  ASSAY_ASSIGN(const auto spelling, SpellingOf(checkpoint, entry.family, weights.string()));
  ASSAY_ASSIGN(
      const std::vector<tensor::Parts> parts,
      tensor::Fit(checkpoint, architecture.weights,
                  {.file = weights.string(),
                   .model = entry.name,
                   .hint = "names and shapes must be the original definition's (assay models "
                           "NAME), or another project's where they are the same model's"},
                  spelling ? &*spelling : nullptr));
  return WriteWeights(
      architecture,
      [&](std::size_t i, const Sink& sink) {
        return tensor::Feed(parts[i], architecture.weights[i].type.dtype, sink);
      },
      folder);
}

Status WriteModel(const Architecture& architecture, const Entry& entry, const BuildOptions& options,
                  const tensor::Checkpoint* checkpoint, const fs::path& place) {
  ASSAY_ASSIGN(PendingFolder pending, PendingFolder::Make(place.parent_path()));
  const fs::path& folder = pending.path();
  ASSAY_ASSIGN(const std::string sha256,
               checkpoint == nullptr
                   ? WriteRandom(architecture, options.seed, folder)
                   : WriteCheckpoint(architecture, entry, *checkpoint, options.weights, folder));
  ASSAY_TRY(WriteFileAtomically(folder / kGraphFile, architecture.onnx));
  Json manifest = {{"model", entry.name},
                   {"batch_size", options.batch_size},
                   {"dimensions", options.dimensions},
                   {"weights", checkpoint == nullptr ? "random" : "file"},
                   {"parameters", entry.parameters},
                   {"sha256", sha256}};
  if (checkpoint == nullptr) {
    manifest["seed"] = options.seed;
  } else {
    manifest["weights_file"] = fs::absolute(options.weights).string();
  }
  ASSAY_TRY(WriteFileAtomically(folder / kManifestFile, manifest.dump(2) + "\n"));
  return pending.MoveTo(place);
}

Status CheckSizes(const Entry& entry, const BuildOptions& options) {
  const auto invalid = [](const std::string& message, const std::string& hint) {
    return Error{Code::kInvalidArgument, message, hint};
  };
  if (options.batch_size < 1 || options.batch_size > kMostBatch) {
    return invalid(
        fmt::format("batch size {} is not between 1 and {}", options.batch_size, kMostBatch), "");
  }
  std::vector<std::string> names;
  for (const Dimension& dimension : entry.dimensions) {
    names.push_back(dimension.name);
  }
  for (const auto& [name, size] : options.dimensions) {
    const auto known = std::find(names.begin(), names.end(), name);
    if (known == names.end()) {
      return invalid(
          fmt::format("{} has no dimension '{}'{}", entry.name, name, DidYouMean(name, names)),
          names.empty()
              ? "--batch-size N sets its batch"
              : fmt::format("it has {}; --batch-size N sets its batch", Join(names, ", ")));
    }
    const Dimension& dimension = entry.dimensions[static_cast<std::size_t>(known - names.begin())];
    if (size < dimension.least || size > dimension.most || size % dimension.multiple != 0) {
      const std::string steps =
          dimension.multiple == 1 ? "" : fmt::format(" in steps of {}", dimension.multiple);
      return invalid(fmt::format("--dim {}={} is not between {} and {}{}, which {} was made for",
                                 name, size, dimension.least, dimension.most, steps, entry.name),
                     fmt::format("usual is --dim {}={}", name, dimension.usual));
    }
  }
  return {};
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
  ASSAY_TRY(CheckSizes(entry, options));
  std::optional<tensor::Checkpoint> checkpoint;
  if (!options.weights.empty()) {
    ASSAY_ASSIGN(checkpoint, tensor::Checkpoint::Open(options.weights));
  }
  const tensor::Checkpoint* given = checkpoint ? &*checkpoint : nullptr;
  const Architecture architecture =
      BuildArchitecture(entry, options.batch_size, options.dimensions);
  const std::string key = KeyOf(architecture, options, given);
  const fs::path place = cache / fmt::format("{}-b{}-{}", entry.name, options.batch_size, key);
  if (fs::exists(place)) {
    Result<model::Model> found = LoadFrom(place, entry);
    if (found) {
      return found;
    }
    std::error_code ignored;  // damaged: build it again
    fs::remove_all(place, ignored);
  }
  ASSAY_TRY(WriteModel(architecture, entry, options, given, place));
  return LoadFrom(place, entry);
}

Result<model::Model> Outline(const Entry& entry, const BuildOptions& options) {
  ASSAY_TRY(CheckSizes(entry, options));
  const Architecture architecture =
      BuildArchitecture(entry, options.batch_size, options.dimensions);
  ASSAY_ASSIGN(model::Model model, model::Outline(architecture.onnx, entry.name));
  model.source = "zoo";
  model.weights = "random";
  return model;
}

}  // namespace assay::zoo
