#include "model/linked.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "base/text.h"
#include "model/external.h"
#include "onnx/onnx-ml.pb.h"

namespace assay::model {
namespace {

namespace fs = std::filesystem;

/// Whether `path` lies in `folder` or below. Both without links.
bool IsBelow(const fs::path& path, const fs::path& folder) {
  return std::mismatch(folder.begin(), folder.end(), path.begin(), path.end()).first ==
         folder.end();
}

/// Where data that is not the user's lies, though root owns both. The model's own place is no
/// reason against its data.
bool IsSystems(const fs::path& target, const fs::path& folder) {
  static constexpr std::array kPlaces = {"/boot", "/dev", "/etc", "/proc", "/run", "/sys"};
  return std::ranges::any_of(kPlaces, [&](const char* place) {
    return IsBelow(target, place) && !IsBelow(folder, place);
  });
}

/// Whether `location` is a link that lies below `folder`. What does not is left to ONNX's checker.
bool IsLink(const fs::path& folder, const fs::path& location) {
  std::error_code error;
  const bool leaves = location.is_absolute() || std::ranges::count(location, "..") > 0;
  if (leaves || !fs::is_symlink(folder / location, error)) {
    return false;
  }
  const fs::path parent = fs::canonical((folder / location).parent_path(), error);
  return !error && IsBelow(parent, fs::canonical(folder, error));
}

/// Why the link is not to be followed, "" where it is.
std::string ReasonAgainst(const fs::path& link, const fs::path& folder) {
  std::error_code error;
  const fs::path target = fs::canonical(link, error);
  struct stat own{}, other{};
  if (error || ::lstat(link.c_str(), &own) != 0 || ::stat(target.c_str(), &other) != 0) {
    return "leads to no file";
  }
  if (IsSystems(target, fs::canonical(folder, error))) {
    return fmt::format("leads to {}, a place of the system", target.string());
  }
  if (!S_ISREG(other.st_mode)) {
    return fmt::format("leads to {}, which is no regular file", target.string());
  }
  if (other.st_nlink > 1) {
    return fmt::format("leads to {}, which is a hard link", target.string());
  }
  if (other.st_uid != ::geteuid() && other.st_uid != own.st_uid) {
    return fmt::format("leads to {}, which belongs to somebody else", target.string());
  }
  return "";
}

std::vector<::onnx::TensorProto*> External(::onnx::GraphProto& graph) {
  std::vector<::onnx::TensorProto*> tensors;
  ListInitializers(graph, tensors);
  std::erase_if(tensors, [](const ::onnx::TensorProto* tensor) {
    return tensor->data_location() != ::onnx::TensorProto::EXTERNAL;
  });
  return tensors;
}

}  // namespace

bool HasLinks(::onnx::GraphProto& graph, const fs::path& onnx) {
  std::error_code error;
  return std::ranges::any_of(External(graph), [&](const ::onnx::TensorProto* tensor) {
    return fs::is_symlink(onnx, error) || IsLink(onnx.parent_path(), LocationOf(*tensor));
  });
}

Status CheckAsideLinks(::onnx::GraphProto& graph, const fs::path& onnx,
                       const std::function<Status()>& check) {
  std::vector<::onnx::TensorProto*> linked = External(graph);
  std::erase_if(linked, [&](const ::onnx::TensorProto* tensor) {
    return !IsLink(onnx.parent_path(), LocationOf(*tensor));
  });
  for (const ::onnx::TensorProto* tensor : linked) {
    const fs::path link = onnx.parent_path() / LocationOf(*tensor);
    if (const std::string reason = ReasonAgainst(link, onnx.parent_path()); !reason.empty()) {
      return Error{
          Code::kMalformed,
          OneLine(fmt::format("{}: data of '{}' is the symbolic link {}, which {}", onnx.string(),
                              tensor->name(), LocationOf(*tensor), reason)),
          "a link is followed to a regular file of your own; else put the data itself there"};
    }
  }
  std::vector<::onnx::TensorProto> aside(linked.size());
  for (std::size_t i = 0; i < linked.size(); ++i) {
    aside[i].set_name(linked[i]->name());
    aside[i].set_data_type(linked[i]->data_type());
    aside[i].add_dims(0);
    linked[i]->Swap(&aside[i]);
  }
  Status checked = check();
  for (std::size_t i = 0; i < linked.size(); ++i) {
    linked[i]->Swap(&aside[i]);
  }
  return checked;
}

}  // namespace assay::model
