// Folders and files that the command line writes: checked before, filled after.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "base/result.h"
#include "model/model.h"
#include "record/record.h"
#include "report/report.h"

namespace assay::cli {

/// The free bytes of the file system that holds `path` or its nearest folder that exists.
std::uint64_t FreeBytes(const std::filesystem::path& path);
/// The bytes of the files below `path` (links not followed); 0 when there is none.
std::uint64_t TreeBytes(const std::filesystem::path& path);

/// Whether HomeDirectory() can be made and written to. Errors  kIo naming the variable that says so.
Status CheckHome();

/// Makes sure that `path` is a folder with nothing in it that can be written to; makes it if
/// needed. Errors  kInvalidArgument naming the path and what is wrong with it.
Status RequireEmptyFolder(const std::filesystem::path& path);

/// Copies the graph as model.onnx, with the files beside it that hold its weights.
/// Errors  kIo.
Status CopyModel(const model::Model& model, const std::filesystem::path& folder);

/// A file that `run --output` writes.
struct OutputFile {
  std::filesystem::path path;
  report::Format format = report::Format::kJson;
};

/// Says before the measurement what would make writing fail after it: unknown extension, a folder
/// that is not there or not writable, a disk without room for `arms` arms.
/// Errors  kInvalidArgument.
Result<std::vector<OutputFile>> CheckOutputs(const std::vector<std::string>& paths,
                                             std::size_t arms);

/// Writes the record below `home`/records. Returns its path.
Result<std::filesystem::path> KeepRecord(const record::Run& run, const std::filesystem::path& home);

}  // namespace assay::cli
