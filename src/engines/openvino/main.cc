#include "engines/openvino/openvino_engine.h"

int main(int argc, char** argv) {
  assay::engine::openvino::OpenVinoEngine engine;
  return assay::engine::Serve(engine, argc, argv);
}
