// A worker's answers: one reply for each request, over the engine, the inputs and the clock. What
// comes in over which descriptor is serve.cc's matter.
#pragma once

#include <optional>

#include "engine/engine.h"
#include "engine/sample.h"

namespace assay::engine {

/// What the engine says of itself, and the digest of the program that it is part of.
Result<Description> Describe(Engine& engine);

class Worker {
 public:
  explicit Worker(Engine& engine) : engine_(engine) {}

  /// The reply to any request; never throws.
  Json Answer(const Json& request);
  bool closed() const { return closed_; }

 private:
  Result<Json> Dispatch(const Json& request);
  Result<Json> Prepare(const Json& request);
  Result<Json> Load(const Json& request);
  Result<Json> Infer(const Json& request);
  Result<Json> Outputs(const Json& request);
  Result<Json> MemoryNow(const Json& request);

  Engine& engine_;
  std::optional<tensor::SafetensorsFile> inputs_;  // engines may keep views into the mapping
  int input_sets_ = 0;                             // 0: nothing loaded
  Rotation rotation_{1};
  bool closed_ = false;
};

}  // namespace assay::engine
