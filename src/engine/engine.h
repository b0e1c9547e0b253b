// What one runtime implements to be an engine. The kit (serve.h) owns the protocol, the inputs and
// the timed loop; an engine only describes itself, prepares, loads, infers and hands out outputs.
#pragma once

#include <memory>
#include <vector>

#include "base/result.h"
#include "engine/protocol.h"
#include "tensor/safetensors.h"
#include "tensor/tensor.h"

namespace assay::engine {

class Engine {
 public:
  virtual ~Engine() = default;

  virtual Description Describe() = 0;

  /// Fills job.artifact. The kit measures the time.
  /// Errors  kUnsupported with the runtime's reason; else the runtime's message.
  virtual Result<Prepared> Prepare(const Job& job);

  /// Whether the runtime can read this ONNX file, without compiling or optimising it.
  /// Errors  kUnsupported where it lacks an operator; else the runtime's words.
  virtual Status Examine(const std::string& onnx);

  /// Loads the model and binds every input set (job.input_sets of them, from `inputs`) to memory of
  /// its own, so that Infer does nothing but run. The kit measures the time.
  virtual Result<Loaded> Load(const Job& job, const tensor::SafetensorsFile& inputs) = 0;

  /// One inference on input set `set`: outputs written, device synchronised. The timed call.
  virtual Status Infer(int set) = 0;

  /// Inferences that it runs at a time. With several (for throughput) Infer starts one and waits
  /// only for a place to run it in; what an inference fails with comes out of a later call.
  virtual int Places() const { return 1; }
  virtual int InFlight() const { return 0; }
  /// Waits until no more than `most` are in flight.
  virtual Status Settle(int /*most*/) { return {}; }
  /// Of those that have ended since the last call, from start to end: nanoseconds.
  virtual std::vector<double> TakeLatencies() { return {}; }

  /// The time that inferences are timed by, where that is not the machine's: of an engine that only
  /// says how long it takes.
  virtual const std::int64_t* OwnTimeNs() const { return nullptr; }

  /// The outputs of the last inference (waited for), copied: float outputs as float32 (float64 when
  /// the recipe's precision is fp64), integers as they are. Names are the model's.
  virtual Result<std::vector<tensor::Tensor>> Outputs() = 0;
};

/// The body of every engine's main: parses --protocol-fd, marks it close-on-exec, serves requests
/// until `close` or end of file. `--describe` prints the description as JSON and ends.
/// Returns the exit status.
int Serve(Engine& engine, int argc, char** argv);

}  // namespace assay::engine
