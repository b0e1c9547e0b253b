// Builds a model of the zoo, lowers it and writes the program beside the graph.
//   lower_zoo MODEL CACHE        prints the model's folder, which then holds program.json
#include <cstdio>
#include <filesystem>
#include <string>

#include "aten/lower.h"
#include "base/file.h"
#include "zoo/zoo.h"

namespace {

assay::Result<std::filesystem::path> LowerZooModel(const std::string& name,
                                                   const std::filesystem::path& cache) {
  ASSAY_ASSIGN(const auto entry, assay::zoo::Find(name));
  ASSAY_ASSIGN(const auto model, assay::zoo::Build(entry, {}, cache));
  ASSAY_ASSIGN(const auto program, assay::aten::Lower(model.graph));
  ASSAY_TRY(assay::WriteFileAtomically(model.folder / "program.json",
                                       assay::aten::ToJson(program).dump()));
  return model.folder;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fputs("usage: lower_zoo MODEL CACHE\n", stderr);
    return 2;
  }
  const auto folder = LowerZooModel(argv[1], argv[2]);
  if (!folder.ok()) {
    std::fprintf(stderr, "%s\n", folder.error().message.c_str());
    return 1;
  }
  std::puts(folder->c_str());
  return 0;
}
