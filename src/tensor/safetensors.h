// The safetensors format: a mapped, validated reader and a streaming writer.
// Source: the format's specification in github.com/huggingface/safetensors, README "Format".
#pragma once

#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/file.h"
#include "base/result.h"
#include "tensor/tensor.h"

namespace assay::tensor {

/// One tensor of a file. `offset` and `bytes` count from the start of the file.
struct Entry {
  std::string name;
  Type type;
  std::uint64_t offset = 0;
  std::uint64_t bytes = 0;
};

/// A mapped safetensors file. Opening checks everything: header length and JSON, known dtypes,
/// shapes that do not overflow, byte counts that match, offsets inside the file, no overlaps.
class SafetensorsFile {
 public:
  /// Errors  kNotFound, kIo; kMalformed naming the file and what is wrong with it.
  static Result<SafetensorsFile> Open(const std::filesystem::path& path);

  const std::vector<Entry>& entries() const { return entries_; }  // in file order
  const Entry* Find(std::string_view name) const;                 // null when absent
  std::span<const std::byte> Bytes(const Entry& entry) const;     // into the mapping
  /// A copy with storage of its own (aligned as operator new aligns).
  Tensor Read(const Entry& entry) const;

 private:
  SafetensorsFile(MappedFile file, std::vector<Entry> entries)
      : file_(std::move(file)), entries_(std::move(entries)) {}
  MappedFile file_;
  std::vector<Entry> entries_;
};

/// Takes bytes, in pieces of any size.
using Sink = std::function<Status(std::span<const std::byte>)>;

/// What a writer is told of a tensor before its bytes.
struct Declared {
  std::string name;
  Type type;
};

/// Writes `declared` in that order; `fill(i, sink)` is called once for each tensor and must feed
/// exactly its bytes to `sink`, in pieces of any size. The data section starts at a multiple of 64.
/// Written beside and renamed into place.
Status WriteSafetensors(const std::filesystem::path& path, const std::vector<Declared>& declared,
                        const std::function<Status(std::size_t, const Sink&)>& fill);

/// Convenience for tensors already in memory.
Status WriteSafetensors(const std::filesystem::path& path, const std::vector<Tensor>& tensors);

/// Where each tensor's bytes will stand in the file that WriteSafetensors makes of `declared`.
std::vector<Entry> LayOut(const std::vector<Declared>& declared);

}  // namespace assay::tensor
