#include "cli/keep.h"

#include <fmt/format.h>

#include <algorithm>
#include <system_error>

#include "aten/lower.h"
#include "base/file.h"
#include "cli/folders.h"
#include "report/take_home.h"

namespace assay::cli {
namespace {

namespace fs = std::filesystem;

Status CopyFile(const fs::path& from, const fs::path& folder) {
  std::error_code error;
  fs::copy_file(from, folder / from.filename(), error);
  if (error) {
    return Error{
        Code::kIo,
        fmt::format("cannot copy {} to {}: {}", from.string(), folder.string(), error.message()),
        ""};
  }
  return {};
}

Status CopyArtifact(const report::TakeHome& home, const record::Arm& arm, const fs::path& folder) {
  if (home.artifact.empty() || arm.artifact.empty()) {
    return {};
  }
  const fs::path from =
      home.artifact == "." ? fs::path(arm.artifact) : arm.artifact / fs::path(home.artifact);
  std::error_code error;
  fs::copy(from, folder / home.artifact_name, fs::copy_options::recursive, error);
  if (error) {
    return Error{
        Code::kIo,
        fmt::format("cannot copy {} to {}: {}", from.string(), folder.string(), error.message()),
        ""};
  }
  return {};
}

Status WriteFiles(const report::TakeHome& home, const fs::path& folder) {
  for (const report::TakeHome::File& file : home.files) {
    const fs::path path = folder / file.name;
    std::error_code error;
    fs::create_directories(path.parent_path(), error);
    ASSAY_TRY(WriteFileAtomically(path, file.content));
  }
  return {};
}

}  // namespace

Result<std::string> Keep(const record::Run& run, std::span<const model::Model> models,
                         const fs::path& folder) {
  const record::Arm* arm = record::Recommended(run);
  if (arm == nullptr) {
    return fmt::format("nothing is kept in {}: no arm is recommended", folder.string());
  }
  const auto found = std::find_if(models.begin(), models.end(), [&](const model::Model& model) {
    return model::BatchOf(model.graph) == arm->batch_size.value_or(1);
  });
  const model::Model& model = found == models.end() ? models.front() : *found;
  record::ModelFacts facts = run.model;
  for (std::size_t i = 0; i < facts.inputs.size(); ++i) {
    const auto id = static_cast<std::size_t>(model.graph.inputs[i]);
    facts.inputs[i].type = model.graph.values[id].type;
  }
  ASSAY_ASSIGN(const report::TakeHome home, report::MakeTakeHome(*arm, facts));
  if (model.module && (home.needs_module || home.needs_program)) {
    ASSAY_TRY(CopyFile(home.needs_module ? model.module->file : model.module->program, folder));
    ASSAY_TRY(CopyFile(model.folder / "model.safetensors", folder));
  } else if (home.needs_program) {
    ASSAY_TRY(CopyModel(model, folder));
    ASSAY_ASSIGN(const aten::Program program, aten::Lower(model.graph));
    ASSAY_TRY(WriteFileAtomically(folder / "program.json", aten::ToJson(program).dump()));
  } else if (home.needs_model) {
    ASSAY_TRY(CopyModel(model, folder));
  }
  ASSAY_TRY(CopyArtifact(home, *arm, folder));
  ASSAY_TRY(WriteFiles(home, folder));
  return fmt::format("kept {} in {}; run it with: {}", record::LabelOf(*arm), folder.string(),
                     home.how);
}

}  // namespace assay::cli
