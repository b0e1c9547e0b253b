// Calls that depend on weights and constants alone, which no PyTorch user would make in every
// inference: gates put in another order, transposes, casts, concatenations of weights.
#pragma once

#include <vector>

#include "engines/torch/call.h"

namespace assay::engine_torch {

/// The values that a call takes.
std::vector<aten::ValueId> OperandsOf(const ResolvedCall& call);

/// By call: whether it may be made once, at load. It reads no input, draws nothing, writes to
/// nothing, and nothing that it makes, or gave its storage to, is written to.
///
/// fixed  by value: weights and constants
std::vector<bool> ConstantCalls(const std::vector<ResolvedCall>& calls, std::vector<bool> fixed);

}  // namespace assay::engine_torch
