#include "cli/folders.h"

#include <fmt/format.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <set>
#include <system_error>

#include "base/file.h"
#include "base/text.h"

namespace assay::cli {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kBytesPerArm = 2'500'000;  // 100,000 samples of 20 characters, and the rest

/// The folder that holds `path`: "." for a bare name.
fs::path FolderOf(const fs::path& path) {
  return path.has_parent_path() ? path.parent_path() : fs::path(".");
}

/// Makes a file in `folder` and removes it: permissions alone do not tell of read-only mounts, and
/// root has them all.
Status TryWriting(const fs::path& folder) {
  std::string name = (folder / ".assay-XXXXXX").string();
  const int fd = ::mkstemp(name.data());
  if (fd < 0) {
    return Error{Code::kInvalidArgument,
                 fmt::format("cannot write in {}: {}", folder.string(), std::strerror(errno)),
                 "choose a folder that exists and that you may write to"};
  }
  const Descriptor owner(fd);
  ::unlink(name.c_str());
  return {};
}

Status CheckOutput(const OutputFile& output, std::size_t arms) {
  std::error_code error;
  if (fs::is_directory(output.path, error)) {
    return Error{Code::kInvalidArgument, fmt::format("output {} is a folder", output.path.string()),
                 "name a file in it"};
  }
  ASSAY_TRY(TryWriting(FolderOf(output.path)));
  const std::uint64_t needed = arms * kBytesPerArm;
  if (const std::uint64_t free = FreeBytes(output.path); free < needed) {
    return Error{Code::kInvalidArgument,
                 fmt::format("the disk of output {} has {} free, {} may be needed",
                             output.path.string(), FormatBytes(free), FormatBytes(needed)),
                 "free some space or write to another disk"};
  }
  return {};
}

Error CopyError(const fs::path& from, const fs::path& to, const std::error_code& error) {
  return {Code::kIo,
          fmt::format("cannot copy {} to {}: {}", from.string(), to.string(), error.message()), ""};
}

}  // namespace

std::uint64_t FreeBytes(const fs::path& path) {
  std::error_code error;
  fs::path existing = fs::absolute(path, error);
  while (!fs::exists(existing, error) && existing.has_relative_path()) {
    existing = existing.parent_path();
  }
  struct statvfs space {};
  if (::statvfs(existing.c_str(), &space) != 0) {
    return 0;
  }
  return std::uint64_t{space.f_bavail} * space.f_frsize;
}

std::uint64_t TreeBytes(const fs::path& path) {
  std::error_code error;
  std::uint64_t bytes = 0;
  const auto options = fs::directory_options::skip_permission_denied;
  for (auto entry = fs::recursive_directory_iterator(path, options, error);
       !error && entry != fs::recursive_directory_iterator(); entry.increment(error)) {
    std::error_code ignored;
    if (entry->is_regular_file(ignored) && !entry->is_symlink(ignored)) {
      bytes += entry->file_size(ignored);
    }
  }
  return bytes;
}

Status CheckHome() {
  const fs::path home = HomeDirectory();
  std::error_code error;
  fs::create_directories(home, error);
  const Status written =
      error
          ? Error{Code::kIo,
                  fmt::format("cannot make the folder {}: {}", home.string(), error.message()), ""}
          : TryWriting(home);
  if (written) {
    return {};
  }
  return Error{Code::kIo, fmt::format("{} (of {})", written.error().message, HomeVariable()),
               "ASSAY_HOME names another folder for assay's files"};
}

Status RequireEmptyFolder(const fs::path& path) {
  std::error_code error;
  fs::create_directories(path, error);
  if (error) {
    return Error{Code::kInvalidArgument,
                 fmt::format("cannot make the folder {}: {}", path.string(), error.message()), ""};
  }
  if (!fs::is_empty(path, error)) {
    return Error{Code::kInvalidArgument, fmt::format("the folder {} is not empty", path.string()),
                 "name a new folder, so that nothing of yours is overwritten"};
  }
  return TryWriting(path);
}

Status CopyModel(const model::Model& model, const fs::path& folder) {
  std::set<std::string> files;
  for (const model::Value& value : model.graph.values) {
    if (value.weight && !value.weight->file.empty()) {
      files.insert(value.weight->file);
    }
  }
  std::error_code error;
  fs::copy_file(model.onnx, folder / "model.onnx", error);
  if (error) {
    return CopyError(model.onnx, folder, error);
  }
  for (const std::string& file : files) {
    const fs::path target = folder / file;
    fs::create_directories(target.parent_path(), error);
    fs::copy_file(model.folder / file, target, error);
    if (error) {
      return CopyError(model.folder / file, target, error);
    }
  }
  return {};
}

Result<std::vector<OutputFile>> CheckOutputs(const std::vector<std::string>& paths,
                                             std::size_t arms) {
  std::vector<OutputFile> outputs;
  for (const std::string& path : paths) {
    ASSAY_ASSIGN(const report::Format format, report::FormatOfPath(path));
    outputs.push_back({path, format});
    ASSAY_TRY(CheckOutput(outputs.back(), arms));
  }
  return outputs;
}

Result<fs::path> KeepRecord(const record::Run& run, const fs::path& home) {
  const std::string name =
      AsFileName(fmt::format("{}-{}-{}", run.started, run.model.name, ::getpid()), '_');
  const fs::path path = home / "records" / (name + ".json");
  std::error_code error;
  fs::create_directories(path.parent_path(), error);
  ASSAY_TRY(WriteFileAtomically(path, report::Render({run}, report::Format::kJson, {})));
  return path;
}

}  // namespace assay::cli
