// Constants as plain numbers, for the constant folder. Internal.
#pragma once

#include <limits>
#include <optional>
#include <vector>

#include "tensor/tensor.h"

namespace assay::model {

/// Holds every int64 and every double exactly, so that one set of operations serves all types.
using Number = long double;
static_assert(std::numeric_limits<Number>::digits >= 64);
using Numbers = std::vector<Number>;

/// The elements of a tensor; nothing for types that shape arithmetic does not use.
std::optional<Numbers> Decode(const tensor::Tensor& tensor);

/// The bytes of `numbers` as `dtype`; nothing when an integer would not hold one of them.
std::optional<std::vector<std::byte>> Encode(const Numbers& numbers, tensor::DType dtype);

}  // namespace assay::model
