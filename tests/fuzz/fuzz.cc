#include "fuzz.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include "base/file.h"

namespace assay::fuzz {
namespace {

constexpr std::size_t kMostMessage = 4096;  // bytes; a line that a person can still read

std::filesystem::path Place() {
  std::error_code error;
  const std::filesystem::path memory = "/dev/shm";
  return std::filesystem::is_directory(memory, error) ? memory
                                                      : std::filesystem::temp_directory_path();
}

}  // namespace

Folder::Folder() : path_(Place() / fmt::format("assay-fuzz-{}", ::getpid())) {
  std::filesystem::create_directories(path_);
}

Folder::~Folder() {
  std::error_code error;
  std::filesystem::remove_all(path_, error);
}

std::filesystem::path Folder::Put(const std::string& name, std::string_view content) const {
  const std::filesystem::path path = path_ / name;
  const Status written = WriteFileAtomically(path, content);
  Require(written.ok(), "a file in the target's own folder");
  return path;
}

void Require(bool holds, std::string_view what) {
  if (!holds) {
    std::fprintf(stderr, "fuzz target: broken: %.*s\n", static_cast<int>(what.size()), what.data());
    std::abort();
  }
}

void RequireOneLine(const Error& error) {
  const auto printable = [](std::string_view text) {
    return std::all_of(text.begin(), text.end(),
                       [](char c) { return static_cast<unsigned char>(c) >= ' ' && c != '\x7f'; });
  };
  Require(!error.message.empty() && error.message.size() <= kMostMessage, "length of the message");
  Require(printable(error.message) && printable(error.hint), "message on one line");
  Require(error.code == Code::kMalformed || error.code == Code::kInvalidArgument ||
              error.code == Code::kUnsupported || error.code == Code::kNotFound,
          "kind of the error");
}

}  // namespace assay::fuzz
