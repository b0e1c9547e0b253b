#include <cstdlib>
#include <string_view>

#include "engines/fake/fake_engine.h"

int main(int argc, char** argv) {
  const bool speaks = argc == 3 && std::string_view(argv[1]) == "--protocol-fd";
  assay::engine::fake::FakeEngine engine(speaks ? std::atoi(argv[2]) : -1);
  return assay::engine::Serve(engine, argc, argv);
}
