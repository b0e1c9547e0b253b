// Builds a model of the zoo and prints the folder: build_model NAME CACHE [BATCH [SEED]]
#include <cstdio>
#include <cstdlib>

#include "zoo/zoo.h"

int main(int argc, char** argv) {
  using namespace assay;
  if (argc < 3) {
    std::fprintf(stderr, "usage: build_model NAME CACHE [BATCH [SEED]]\n");
    return 2;
  }
  zoo::BuildOptions options;
  options.batch_size = argc > 3 ? std::atoll(argv[3]) : 1;
  options.seed = argc > 4 ? std::strtoull(argv[4], nullptr, 10) : 0;
  const auto entry = zoo::Find(argv[1]);
  const auto model =
      entry ? zoo::Build(*entry, options, argv[2]) : Result<model::Model>(entry.error());
  if (!model) {
    std::fprintf(stderr, "%s\n", model.error().message.c_str());
    return 1;
  }
  std::printf("%s\n", model->folder.c_str());
  return 0;
}
