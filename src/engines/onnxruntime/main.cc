#include "engines/onnxruntime/onnxruntime_engine.h"

int main(int argc, char** argv) {
  assay::engine::onnxruntime::OnnxRuntimeEngine engine;
  return assay::engine::Serve(engine, argc, argv);
}
