#include "engines/torch/constant_calls.h"

#include <ATen/core/enum_tag.h>

#include <algorithm>
#include <iterator>

namespace assay::engine_torch {
namespace {

std::size_t Index(aten::ValueId id) { return static_cast<std::size_t>(id); }

}  // namespace

std::vector<aten::ValueId> OperandsOf(const ResolvedCall& call) {
  std::vector<aten::ValueId> operands;
  for (const auto& place : call.places) {
    operands.push_back(place.value);
  }
  for (const auto& place : call.list_places) {
    std::ranges::copy_if(place.values, std::back_inserter(operands),
                         [](aten::ValueId id) { return id != aten::kHole; });
  }
  return operands;
}

std::vector<bool> ConstantCalls(const std::vector<ResolvedCall>& calls, std::vector<bool> fixed) {
  // Whatever is written to, and all that it may share its storage with: that it was made of.
  std::vector<bool> written(fixed.size(), false);
  for (auto call = calls.rbegin(); call != calls.rend(); ++call) {
    for (const auto& place : call->places) {
      const auto* alias = call->op.schema().arguments()[place.position].alias_info();
      if (alias != nullptr && alias->isWrite()) {
        written[Index(place.value)] = true;
      }
    }
    const bool shares =
        !call->op.schema().is_mutable() &&
        std::ranges::any_of(call->results, [&](aten::ValueId id) { return written[Index(id)]; });
    for (const aten::ValueId id : OperandsOf(*call)) {
      written[Index(id)] = written[Index(id)] || shares;
    }
  }
  std::vector<bool> constant;
  for (const ResolvedCall& call : calls) {
    const bool once =
        !call.op.schema().is_mutable() && !call.op.hasTag(at::Tag::nondeterministic_seeded) &&
        std::ranges::all_of(OperandsOf(call), [&](aten::ValueId id) { return fixed[Index(id)]; }) &&
        std::ranges::none_of(call.results, [&](aten::ValueId id) { return written[Index(id)]; });
    constant.push_back(once);
    for (const aten::ValueId id : call.results) {
      fixed[Index(id)] = once;
    }
  }
  return constant;
}

}  // namespace assay::engine_torch
