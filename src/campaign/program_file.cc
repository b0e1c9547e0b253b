#include "campaign/program_file.h"

#include <system_error>

#include "base/file.h"

namespace assay::campaign {

Result<ProgramFile> KeepProgram(const aten::Program& program, const std::filesystem::path& home) {
  const std::string text = aten::ToJson(program).dump(1);
  ProgramFile file{.path = {}, .sha256 = Sha256Of(text)};
  const std::filesystem::path folder = home / "programs" / file.sha256.substr(0, 16);
  std::error_code error;  // writing below it says it better
  std::filesystem::create_directories(folder, error);
  file.path = folder / "program.json";
  if (!std::filesystem::exists(file.path, error)) {
    ASSAY_TRY(WriteFileAtomically(file.path, text));
  }
  return file;
}

}  // namespace assay::campaign
