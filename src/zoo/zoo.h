// The model zoo: architectures written as ONNX with named weights, built into the cache once.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "base/result.h"
#include "model/model.h"

namespace assay::zoo {

/// A size that `--dim` sets.
struct Dimension {
  std::string name;  // "seq"
  std::int64_t usual = 0;
  std::int64_t most = 0;
  int axis = -1;  // of the first input; -1: of others only
  std::int64_t least = 1;
  std::int64_t multiple = 1;  // sizes are multiples of it
};

struct Entry {
  std::string name;           // "resnet18"
  std::string family;         // "ResNet"
  std::string source;         // where the definition comes from
  tensor::Shape input_shape;  // of the first input, at batch 1
  std::uint64_t parameters = 0;
  std::uint64_t macs = 0;  // at batch 1 and the usual dimensions
  std::vector<Dimension> dimensions = {};
};

const std::vector<Entry>& Entries();

/// "ResNet-18", "resnet_18" and "resnet18" find the same entry.
/// Errors  kNotFound with the nearest names.
Result<Entry> Find(std::string_view name);

constexpr std::int64_t kMostBatch = 65536;

struct BuildOptions {
  std::int64_t batch_size = 1;  // up to kMostBatch
  std::uint64_t seed = 0;
  std::map<std::string, std::int64_t> dimensions = {};  // others are as usual
  std::filesystem::path weights = {};  // a checkpoint (tensor/checkpoint.h), "" for random weights
};

/// Writes the model into `cache` (HomeDirectory()/models), or finds it there, and loads it.
/// Errors  kInvalidArgument for a batch size or a dimension that the model does not have; those of
///         the checkpoint; kIo.
Result<model::Model> Build(const Entry& entry, const BuildOptions& options,
                           const std::filesystem::path& cache);

/// The model's graph without weights: nothing is written or read.
/// Errors  kInvalidArgument as Build.
Result<model::Model> Outline(const Entry& entry, const BuildOptions& options);

}  // namespace assay::zoo
