// Files and descriptors: move-only owners, whole-file reads, atomic writes, mappings, hashes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "base/result.h"

namespace assay {

/// Owns a file descriptor; closes it at the end of its life.
class Descriptor {
 public:
  Descriptor() = default;
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(Descriptor&& other) noexcept : fd_(other.Release()) {}
  Descriptor& operator=(Descriptor&& other) noexcept;
  ~Descriptor();

  int get() const { return fd_; }
  bool valid() const { return fd_ >= 0; }
  int Release() { return std::exchange(fd_, -1); }

 private:
  int fd_ = -1;
};

/// A file mapped read-only (private), for as long as the object lives.
class MappedFile {
 public:
  static Result<MappedFile> Open(const std::filesystem::path& path);
  MappedFile(MappedFile&& other) noexcept;
  MappedFile& operator=(MappedFile&& other) noexcept;
  ~MappedFile();

  std::span<const std::byte> bytes() const { return {data_, size_}; }

 private:
  MappedFile(const std::byte* data, std::size_t size) : data_(data), size_(size) {}
  const std::byte* data_ = nullptr;
  std::size_t size_ = 0;
};

Result<std::string> ReadFile(const std::filesystem::path& path);

/// Writes beside `path` and renames into place, so that readers see the old or the new whole.
Status WriteFileAtomically(const std::filesystem::path& path, std::string_view content);

/// SHA-256 of what was fed to it, as 64 hexadecimal digits.
class Sha256 {
 public:
  Sha256();
  Sha256(Sha256&&) noexcept = default;
  Sha256& operator=(Sha256&&) noexcept = default;
  ~Sha256();
  void Update(std::span<const std::byte> bytes);
  void Update(std::string_view text);
  std::string Finish();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

std::string Sha256Of(std::string_view text);

/// Where assay keeps what it can make again: $ASSAY_HOME, else $XDG_CACHE_HOME/assay, else
/// ~/.cache/assay.
std::filesystem::path HomeDirectory();
/// The variable that says so: "ASSAY_HOME", "XDG_CACHE_HOME" or "HOME".
std::string_view HomeVariable();

}  // namespace assay
