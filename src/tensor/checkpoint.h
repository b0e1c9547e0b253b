// A checkpoint: the tensors of one safetensors file, or of several under Hugging Face's index.
// Source of the index: transformers 5.24, modeling_utils.py, save_pretrained ("weight_map").
#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "tensor/safetensors.h"

namespace assay::tensor {

struct Stored {
  std::string name;
  Type type;
  std::span<const std::byte> bytes;  // into the mapping
};

class Checkpoint {
 public:
  /// Opens a safetensors file or, when `path` ends in .json, the shards that an index names: below
  /// the index's own folder, each with exactly the tensors that the index places there.
  /// Errors  those of SafetensorsFile::Open; kMalformed for an index that is none or that lies.
  static Result<Checkpoint> Open(const std::filesystem::path& path);

  const std::vector<Stored>& tensors() const { return tensors_; }  // by name
  const Stored* Find(std::string_view name) const;                 // null when absent

  /// Of names, types and bytes: the same however they are spread over files.
  std::string Sha256Sum() const;

 private:
  Checkpoint() = default;
  void Add(SafetensorsFile file);

  std::vector<SafetensorsFile> files_;
  std::vector<Stored> tensors_;
};

}  // namespace assay::tensor
