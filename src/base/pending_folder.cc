#include "base/pending_folder.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <system_error>

namespace assay {

namespace fs = std::filesystem;

Result<PendingFolder> PendingFolder::Make(const fs::path& parent) {
  std::error_code error;
  fs::create_directories(parent, error);
  std::string name = (parent / ".building-XXXXXX").string();
  if (::mkdtemp(name.data()) == nullptr) {
    return Error{Code::kIo,
                 fmt::format("cannot write {}: {}", parent.string(), std::strerror(errno)),
                 "ASSAY_HOME names another place for assay's files"};
  }
  return PendingFolder(name);
}

PendingFolder::~PendingFolder() {
  std::error_code ignored;
  if (!path_.empty()) {
    fs::remove_all(path_, ignored);
  }
}

Status PendingFolder::MoveTo(const fs::path& place) {
  if (::rename(path_.c_str(), place.c_str()) == 0) {
    path_.clear();
  } else if (errno != EEXIST && errno != ENOTEMPTY) {
    return Error{Code::kIo,
                 fmt::format("cannot write {}: {}", place.string(), std::strerror(errno)), ""};
  }
  return {};
}

}  // namespace assay
