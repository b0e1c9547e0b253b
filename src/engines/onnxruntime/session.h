// One ONNX Runtime session with every input set bound to memory of its own. Throws what the API
// throws; the engine's callers catch it.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "engine/engine.h"
#include "engine/inputs.h"
#include "engines/onnxruntime/api.h"

namespace assay::engine::onnxruntime {

/// A graph input or output; dimensions not known beforehand are -1.
struct Port {
  std::string name;
  tensor::Type type;   // meaningless unless `tensor`
  bool tensor = true;  // an output may be a sequence, a map, an optional
};

class BoundSession {
 public:
  /// Errors  kUnsupported for inputs that are no tensors; those of FindInput.
  static Result<BoundSession> Create(Ort::Env& env, const Job& job,
                                     const tensor::SafetensorsFile& inputs);

  /// Outputs are written to memory of ours; allocated by the runtime, each time anew, once it has
  /// refused the shapes that the file declares: some are not so.
  void Run(int set);
  /// What the last Run, which was on `set`, wrote (values.h); in the graph's own types.
  Result<std::vector<tensor::Tensor>> ReadOutputs(int set) const;

  const std::vector<Port>& outputs() const { return outputs_; }
  int threads() const { return threads_; }  // in the intra-op pool, the caller among them

 private:
  BoundSession() = default;
  Status ReadPorts();
  Status Bind(int set, const tensor::SafetensorsFile& inputs);
  Ort::Value View(const Port& port, const AlignedBuffer& buffer) const;

  Ort::MemoryInfo memory_ = Ort::MemoryInfo::CreateCpu(OrtArenaAllocator, OrtMemTypeDefault);
  Ort::RunOptions run_options_;
  int threads_ = 0;
  std::vector<Port> inputs_, outputs_;
  std::vector<const char*> input_names_, output_names_;  // theirs
  std::vector<AlignedBuffer> input_buffers_;
  std::vector<AlignedBuffer> output_buffers_;  // shared by the sets; empty where a shape is dynamic
  std::vector<Ort::Value> values_;  // views of the output buffers, alive as long as bound
  std::vector<std::vector<Ort::Value>> given_;  // inputs by set, as bound
  Ort::Session session_{nullptr};
  std::vector<Ort::IoBinding> bindings_;  // by set; ended before the session
  bool as_declared_ = true;               // whether outputs are bound
  std::vector<Ort::Value> made_;          // of the last run, where they are not
};

}  // namespace assay::engine::onnxruntime
