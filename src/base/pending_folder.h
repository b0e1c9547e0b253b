// A folder that is filled beside its final place and moved there whole, so that others see all of
// it or nothing.
#pragma once

#include <filesystem>
#include <utility>

#include "base/result.h"

namespace assay {

/// Removed at the end of its life unless it was moved to its place.
class PendingFolder {
 public:
  /// Makes `parent` where it is missing, and the folder in it. Errors  kIo.
  static Result<PendingFolder> Make(const std::filesystem::path& parent);
  PendingFolder(PendingFolder&& other) noexcept : path_(std::exchange(other.path_, {})) {}
  PendingFolder& operator=(PendingFolder&&) = delete;
  ~PendingFolder();

  const std::filesystem::path& path() const { return path_; }

  /// Another process may have been faster: then its folder, the same in content, stays.
  Status MoveTo(const std::filesystem::path& place);

 private:
  explicit PendingFolder(std::filesystem::path path) : path_(std::move(path)) {}
  std::filesystem::path path_;
};

}  // namespace assay
