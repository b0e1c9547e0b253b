// The model zoo: architectures written as ONNX with named weights, built into the cache once.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "base/result.h"
#include "model/model.h"

namespace assay::zoo {

struct Entry {
  std::string name;           // "resnet18"
  std::string family;         // "ResNet"
  std::string source;         // where the definition comes from
  tensor::Shape input_shape;  // at batch 1
  std::uint64_t parameters = 0;
  std::uint64_t macs = 0;  // at batch 1
};

const std::vector<Entry>& Entries();

/// "ResNet-18", "resnet_18" and "resnet18" find the same entry.
/// Errors  kNotFound with the nearest names.
Result<Entry> Find(std::string_view name);

constexpr std::int64_t kMostBatch = 65536;

struct BuildOptions {
  std::int64_t batch_size = 1;  // up to kMostBatch
  std::uint64_t seed = 0;
  std::filesystem::path weights = {};  // a checkpoint (tensor/checkpoint.h), "" for random weights
};

/// Writes the model into `cache` (HomeDirectory()/models), or finds it there, and loads it.
Result<model::Model> Build(const Entry& entry, const BuildOptions& options,
                           const std::filesystem::path& cache);

}  // namespace assay::zoo
