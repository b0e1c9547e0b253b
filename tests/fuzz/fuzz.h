// What the fuzz targets share. A target is one file fuzz_NAME.cc that gives a reader the bytes of
// one file; it aborts where a reader does worse than to refuse them in one line.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

#include "base/result.h"

namespace assay::fuzz {

/// A folder of this process in memory where the machine has that; removed at exit.
class Folder {
 public:
  Folder();
  Folder(const Folder&) = delete;
  ~Folder();
  /// The path of a file with that content.
  std::filesystem::path Put(const std::string& name, std::string_view content) const;

 private:
  std::filesystem::path path_;
};

inline std::string_view AsText(const std::uint8_t* data, std::size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

/// Aborts with `what` unless `holds`.
void Require(bool holds, std::string_view what);

/// Aborts unless the error is one printable line, of a kind that ends with status 2 or 3.
void RequireOneLine(const Error& error);

}  // namespace assay::fuzz

/// What libFuzzer, or replay_main.cc, calls for each file.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);
