#include <fmt/format.h>

#include <filesystem>
#include <system_error>

#include "base/file.h"
#include "base/text.h"
#include "cli/folders.h"
#include "cli/model_options.h"
#include "cli/terminal.h"
#include "cli/verb.h"
#include "model/copy.h"

namespace assay::cli {
namespace {

namespace fs = std::filesystem;

constexpr const char* kExamples =
    "Examples:\n"
    "  assay export resnet18 out/                        out/model.onnx, out/model.safetensors\n"
    "  assay export vit_b_16 out/ --batch-size 8 --weights vit.safetensors";

struct ExportOptions {
  ModelOptions model;
  std::string folder;
};

Result<int> Export(const ExportOptions& options) {
  ASSAY_TRY(RequireEmptyFolder(options.folder));
  ASSAY_ASSIGN(const model::Model model, options.model.Load());
  if (model.module && model.module->no_onnx) {
    return *model.module->no_onnx;
  }
  ASSAY_TRY(model::WriteCopy(model.onnx, options.folder));
  const fs::path folder = options.folder;
  for (const char* name : {"model.onnx", "model.safetensors"}) {
    std::error_code error;
    const auto bytes = fs::file_size(folder / name, error);
    ASSAY_TRY(WriteOut(fmt::format("{}  {}\n", (folder / name).string(), FormatBytes(bytes))));
  }
  return 0;
}

}  // namespace

Verb AddExport(CLI::App& app) {
  const auto options = std::make_shared<ExportOptions>();
  CLI::App* verb = app.add_subcommand("export", "writes model.onnx and model.safetensors");
  options->model.AddTo(*verb);
  verb->add_option("DIR", options->folder, "folder to write them into; made when absent")
      ->required();
  verb->footer(kExamples);
  return {verb, [options](const auto&) { return Export(*options); }};
}

}  // namespace assay::cli
