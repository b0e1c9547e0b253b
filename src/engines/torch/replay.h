// Eager PyTorch from C++: an ATen program replayed call by call through the dispatcher, freeing
// each value after its last use, which is what Python's eager mode does.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "aten/program.h"
#include "base/result.h"
#include "engines/torch/call.h"
#include "engines/torch/executable.h"

namespace assay::engine_torch {

class Replay final : public Executable {
 public:
  /// Resolves every call, makes those that depend on weights alone, and copies weights and
  /// constants, cast to `precision`.
  ///
  /// program  has passed aten::Validate
  /// folder   where the weights' files lie
  /// Errors   kUnsupported, kMalformed as Resolve; kMalformed for a weight that is not in its file
  ///          as the program says.
  static Result<std::unique_ptr<Replay>> Load(const aten::Program& program,
                                              const std::filesystem::path& folder,
                                              at::ScalarType precision);

  Result<std::vector<at::Tensor>> Run(const std::vector<at::Tensor>& inputs) override;

 private:
  Replay() = default;
  Status LoadWeights(const aten::Program& program, const std::filesystem::path& folder,
                     at::ScalarType precision);
  Status ResolveCalls(const aten::Program& program, at::ScalarType precision);
  /// Makes the calls that depend on weights and constants alone; Run leaves them out.
  void MakeConstantCalls();
  bool MadeOnce(const ResolvedCall& call);  // false, and nothing kept, for what takes much memory
  void FreeUnread();                        // what no call is left to read
  void RunCall(const ResolvedCall& call);
  void Invoke(const ResolvedCall& call);
  void StoreResults(const ResolvedCall& call);

  std::vector<at::Tensor> values_;  // by ValueId; weights and constants stay, others come and go
  std::vector<c10::IValue> stack_;  // reused, so that its storage is allocated once
  std::vector<ResolvedCall> calls_;
  std::vector<std::string> nodes_;  // of each call, for messages
  std::vector<aten::ValueId> inputs_, outputs_;
};

}  // namespace assay::engine_torch
