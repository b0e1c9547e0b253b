#include "engines/torch/replay.h"

#include <ATen/core/List.h>
#include <c10/core/InferenceMode.h>
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>
#include <utility>

#include "engines/torch/constant_calls.h"
#include "engines/torch/convert.h"
#include "tensor/safetensors.h"

namespace assay::engine_torch {
namespace {

std::size_t Index(aten::ValueId id) { return static_cast<std::size_t>(id); }

}  // namespace

Result<std::unique_ptr<Replay>> Replay::Load(const aten::Program& program,
                                             const std::filesystem::path& folder,
                                             at::ScalarType precision) {
  const c10::InferenceMode no_autograd;
  std::unique_ptr<Replay> replay(new Replay);
  replay->values_.resize(Index(program.value_count));
  ASSAY_TRY(replay->LoadWeights(program, folder, precision));
  ASSAY_TRY(replay->ResolveCalls(program, precision));
  for (const auto& input : program.inputs) {
    replay->inputs_.push_back(input.id);
  }
  for (const auto& output : program.outputs) {
    replay->outputs_.push_back(output.id);
  }
  replay->MakeConstantCalls();
  return replay;
}

Status Replay::LoadWeights(const aten::Program& program, const std::filesystem::path& folder,
                           at::ScalarType precision) {
  std::map<std::string, tensor::SafetensorsFile> files;
  for (const auto& weight : program.weights) {
    if (!files.contains(weight.file)) {
      ASSAY_ASSIGN(auto opened, tensor::SafetensorsFile::Open(folder / weight.file));
      files.emplace(weight.file, std::move(opened));
    }
    const auto& file = files.at(weight.file);
    const tensor::Entry* entry = file.Find(weight.tensor);
    if (entry == nullptr || entry->type != weight.type) {
      return Error{Code::kMalformed,
                   fmt::format("{} has no tensor '{}' of {} {}", (folder / weight.file).string(),
                               weight.tensor, tensor::Name(weight.type.dtype),
                               tensor::ToString(weight.type.shape)),
                   ""};
    }
    values_[Index(weight.id)] = CopyTensor(file.Bytes(*entry), weight.type, precision);
  }
  for (const auto& constant : program.constants) {
    values_[Index(constant.id)] = CopyTensor(constant.tensor.data, constant.tensor.type, precision);
  }
  return {};
}

Status Replay::ResolveCalls(const aten::Program& program, at::ScalarType precision) {
  for (const aten::Call& call : program.calls) {
    ASSAY_ASSIGN(auto resolved, Resolve(call, precision));
    calls_.push_back(std::move(resolved));
    nodes_.push_back(call.node);
  }
  return {};
}

void Replay::MakeConstantCalls() {
  std::vector<bool> fixed;
  for (const at::Tensor& value : values_) {
    fixed.push_back(value.defined());
  }
  const std::vector<bool> constant = ConstantCalls(calls_, fixed);
  // What is freed after its last use among all calls stays for those that are left.
  std::vector<ResolvedCall> calls = std::exchange(calls_, {});
  std::vector<std::string> nodes = std::exchange(nodes_, {});
  for (std::size_t i = 0; i < calls.size(); ++i) {
    if (!constant[i] || !MadeOnce(calls[i])) {
      std::erase_if(calls[i].frees, [&](aten::ValueId id) { return values_[Index(id)].defined(); });
      calls_.push_back(std::move(calls[i]));
      nodes_.push_back(std::move(nodes[i]));
    }
  }
  FreeUnread();
}

bool Replay::MadeOnce(const ResolvedCall& call) {
  constexpr std::size_t kMostGrowth = 1 << 16;  // bytes: nothing is held that is far larger than
                                                // what it is made of
  const auto bytes_of = [&](const std::vector<aten::ValueId>& ids) {
    std::size_t bytes = 0;
    for (const aten::ValueId id : ids) {
      bytes += values_[Index(id)].defined() ? values_[Index(id)].storage().nbytes() : 0;
    }
    return bytes;
  };
  const std::vector<aten::ValueId> operands = OperandsOf(call);
  const bool known =
      std::ranges::all_of(operands, [&](aten::ValueId id) { return values_[Index(id)].defined(); });
  if (!known) {
    return false;  // of what was not made once itself
  }
  try {
    Invoke(call);
  } catch (const std::exception&) {
    return false;  // Run says why
  }
  if (bytes_of(call.results) <= bytes_of(operands) + kMostGrowth) {
    return true;
  }
  for (const aten::ValueId id : call.results) {
    values_[Index(id)].reset();
  }
  return false;
}

void Replay::FreeUnread() {
  std::vector<bool> read(values_.size(), false);
  for (const ResolvedCall& call : calls_) {
    for (const aten::ValueId id : OperandsOf(call)) {
      read[Index(id)] = true;
    }
  }
  for (const aten::ValueId id : outputs_) {
    read[Index(id)] = true;
  }
  for (std::size_t i = 0; i < values_.size(); ++i) {
    if (!read[i]) {
      values_[i].reset();
    }
  }
}

Result<std::vector<at::Tensor>> Replay::Run(const std::vector<at::Tensor>& inputs) {
  for (std::size_t i = 0; i < inputs_.size(); ++i) {
    values_[Index(inputs_[i])] = inputs[i];
  }
  std::size_t at = 0;
  try {
    for (; at < calls_.size(); ++at) {
      RunCall(calls_[at]);
    }
  } catch (const std::exception& e) {
    return ErrorOf(
        e, fmt::format("{} (node '{}')", c10::toString(calls_[at].op.operator_name()), nodes_[at]));
  }
  std::vector<at::Tensor> outputs;
  outputs.reserve(outputs_.size());
  for (const aten::ValueId id : outputs_) {
    outputs.push_back(values_[Index(id)]);
  }
  return outputs;
}

void Replay::RunCall(const ResolvedCall& call) {
  Invoke(call);
  for (const aten::ValueId id : call.frees) {
    values_[Index(id)].reset();
  }
}

void Replay::Invoke(const ResolvedCall& call) {
  stack_.assign(call.arguments.begin(), call.arguments.end());
  for (const auto& place : call.places) {
    stack_[place.position] = values_[Index(place.value)];
  }
  for (const auto& place : call.list_places) {
    if (place.optional_elements) {
      c10::List<std::optional<at::Tensor>> list;
      for (const aten::ValueId id : place.values) {
        list.push_back(id == aten::kHole ? std::nullopt : std::optional(values_[Index(id)]));
      }
      stack_[place.position] = std::move(list);
    } else {
      c10::List<at::Tensor> list;
      for (const aten::ValueId id : place.values) {
        list.push_back(values_[Index(id)]);
      }
      stack_[place.position] = std::move(list);
    }
  }
  call.op.callBoxed(stack_);
  StoreResults(call);
}

void Replay::StoreResults(const ResolvedCall& call) {
  if (call.returns_list) {
    const c10::List<at::Tensor> list = std::move(stack_[0]).toTensorList();
    for (std::size_t i = 0; i < call.results.size(); ++i) {
      values_[Index(call.results[i])] = list.get(i);
    }
    return;
  }
  for (std::size_t i = 0; i < call.results.size(); ++i) {
    values_[Index(call.results[i])] = std::move(stack_[i]).toTensor();
  }
}

}  // namespace assay::engine_torch
