#include "engine/engine.h"
#include "engines/torch/torch_engine.h"

int main(int argc, char** argv) {
  assay::engine_torch::TorchEngine engine;
  return assay::engine::Serve(engine, argc, argv);
}
