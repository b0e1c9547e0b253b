// Lowers a model of the zoo or an ONNX file and writes the program beside the graph.
//   lower_model MODEL CACHE      builds the model into CACHE
//   lower_model FILE.onnx
// Prints the folder, which then holds program.json.
#include <cstdio>
#include <filesystem>
#include <string>

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

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2 || argc > 3) {
    std::fputs("usage: lower_model MODEL CACHE\n       lower_model FILE.onnx\n", stderr);
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
