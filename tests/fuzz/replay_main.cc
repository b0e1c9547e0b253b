// Gives a fuzz target the files of its corpus once each, without libFuzzer.
//   replay_NAME FOLDER...
// Status 0; 2 when a folder holds no file. A finding aborts, after its file's name.
#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <vector>

#include "base/file.h"
#include "fuzz.h"

namespace {

std::vector<std::filesystem::path> FilesIn(const char* folder) {
  std::vector<std::filesystem::path> files;
  std::error_code error;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder, error)) {
    if (entry.is_regular_file(error)) {
      files.push_back(entry.path());
    }
  }
  std::sort(files.begin(), files.end());
  return files;
}

}  // namespace

int main(int argc, char** argv) {
  std::size_t count = 0;
  for (int i = 1; i < argc; ++i) {
    const auto files = FilesIn(argv[i]);
    if (files.empty()) {
      std::fprintf(stderr, "no files in %s\n", argv[i]);
      return 2;
    }
    for (const auto& file : files) {
      const auto content = assay::ReadFile(file);
      if (!content) {
        std::fprintf(stderr, "%s\n", content.error().message.c_str());
        return 2;
      }
      std::printf("%s\n", file.c_str());
      std::fflush(stdout);  // the last name is the finding's
      LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(content->data()),
                             content->size());
    }
    count += files.size();
  }
  std::printf("%zu files\n", count);
  return count > 0 ? 0 : 2;
}
