// Reading the small text files of /proc and /sys below a root, and their list format. A file that
// is missing or unreadable is a fact about the machine, not an error.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace assay::hardware {

class Tree {
 public:
  explicit Tree(std::filesystem::path root) : root_(std::move(root)) {}

  /// path  relative to the root: "proc/meminfo"
  /// Returns the content without white space at its end; nothing when it cannot be read.
  std::optional<std::string> Text(const std::string& path) const;
  /// The content as one unsigned number; nothing when it is none ("max").
  std::optional<std::uint64_t> Number(const std::string& path) const;
  /// The value behind `key` in a file of lines "key value", "key: value" or, when `key`
  /// ends with it, "key=value".
  std::optional<std::string> Field(const std::string& path, std::string_view key) const;
  std::optional<std::uint64_t> NumberField(const std::string& path, std::string_view key) const;
  /// Names in a folder, sorted; none when it is not there.
  std::vector<std::string> Names(const std::string& folder) const;

 private:
  std::filesystem::path root_;
};

/// The number that `text` begins with; nothing when it begins with something else.
std::optional<std::uint64_t> ParseNumber(std::string_view text);

/// "0-3,8" as {0, 1, 2, 3, 8}; what cannot be read is left out.
std::vector<int> ParseCpuList(std::string_view text);

}  // namespace assay::hardware
