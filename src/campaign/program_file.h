// ATen programs as files below assay's home, for processes that read them.
#pragma once

#include <filesystem>
#include <string>

#include "aten/program.h"
#include "base/result.h"

namespace assay::campaign {

struct ProgramFile {
  std::filesystem::path path;
  std::string sha256;  // of its content
};

/// Writes the program below home/programs, named by its content, unless it is there.
/// Errors  kIo.
Result<ProgramFile> KeepProgram(const aten::Program& program, const std::filesystem::path& home);

}  // namespace assay::campaign
