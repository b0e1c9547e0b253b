// Lowers models of the zoo or ONNX files and writes each program beside its graph.
//   lower_model MODEL CACHE          builds the model into CACHE; prints the folder, which then
//                                    holds program.json
//   lower_model FILE.onnx            the same for a file
//   lower_model --each FILE.onnx...  for each file one line: empty, or why it has no program
//   lower_model --operators          the operators that the lowering knows
#include <cstdio>
#include <filesystem>
#include <string>
#include <string_view>

#include "aten/lower.h"
#include "base/file.h"
#include "zoo/zoo.h"

namespace {

assay::Result<assay::model::Model> LoadModel(const std::string& model,
                                             const std::filesystem::path& cache) {
  if (model.ends_with(".onnx")) {
    return assay::model::Load(model);
  }
  ASSAY_ASSIGN(const auto entry, assay::zoo::Find(model));
  return assay::zoo::Build(entry, {}, cache);
}

assay::Result<std::filesystem::path> LowerModel(const std::string& name,
                                                const std::filesystem::path& cache) {
  ASSAY_ASSIGN(const auto model, LoadModel(name, cache));
  ASSAY_ASSIGN(const auto program, assay::aten::Lower(model.graph));
  ASSAY_TRY(assay::WriteFileAtomically(model.folder / "program.json",
                                       assay::aten::ToJson(program).dump()));
  return model.folder;
}

int LowerEach(int count, char** files) {
  for (int i = 0; i < count; ++i) {
    const auto folder = LowerModel(files[i], "");
    std::puts(folder.ok() ? "" : folder.error().message.c_str());
  }
  return 0;
}

int PrintOperators() {
  for (const std::string_view name : assay::aten::KnownOperators()) {
    std::puts(std::string(name).c_str());
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  const std::string_view first = argc > 1 ? argv[1] : "";
  if (first == "--each") {
    return LowerEach(argc - 2, argv + 2);
  }
  if (first == "--operators" && argc == 2) {
    return PrintOperators();
  }
  if (argc < 2 || argc > 3) {
    std::fputs("usage: lower_model MODEL CACHE\n       lower_model FILE.onnx\n", stderr);
    std::fputs("       lower_model --each FILE.onnx...\n       lower_model --operators\n", stderr);
    return 2;
  }
  const auto folder = LowerModel(argv[1], argc == 3 ? argv[2] : "");
  if (!folder.ok()) {
    std::fprintf(stderr, "%s\n", folder.error().message.c_str());
    return 1;
  }
  std::puts(folder->c_str());
  return 0;
}
