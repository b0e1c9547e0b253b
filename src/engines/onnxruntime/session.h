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

  void Run(int set) { session_.Run(run_options_, bindings_[static_cast<std::size_t>(set)]); }
  /// Runs, and lets the runtime allocate the outputs of all sets from then on where it refuses
  /// those of the declared shapes: files declare some that are not so.
  void RunAsItIs(int set);
  /// What the last Run, which was on `set`, wrote (values.h); in the graph's own types.
  Result<std::vector<tensor::Tensor>> ReadOutputs(int set) const;

  const std::vector<Port>& outputs() const { return outputs_; }
  int threads() const { return threads_; }  // in the intra-op pool, the caller among them

 private:
  BoundSession() = default;
  Status ReadPorts();
  Status Bind(int set, const tensor::SafetensorsFile& inputs);
  void BindOutputs(Ort::IoBinding& binding);
  Ort::Value View(const Port& port, const AlignedBuffer& buffer) const;

  Ort::MemoryInfo memory_ = Ort::MemoryInfo::CreateCpu(OrtArenaAllocator, OrtMemTypeDefault);
  Ort::RunOptions run_options_;
  int threads_ = 0;
  std::vector<Port> inputs_, outputs_;
  bool as_declared_ = true;  // outputs of static shapes are bound to memory of ours
  std::vector<AlignedBuffer> input_buffers_;
  std::vector<AlignedBuffer> output_buffers_;  // shared by the sets; empty where a shape is dynamic
  std::vector<Ort::Value> values_;             // views of the buffers, alive as long as bound
  Ort::Session session_{nullptr};
  std::vector<Ort::IoBinding> bindings_;  // by set; ended before the session
};

}  // namespace assay::engine::onnxruntime
