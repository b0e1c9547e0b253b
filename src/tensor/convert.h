// Elements of one type as another, on their way from a mapping to a file.
#pragma once

#include <cstddef>
#include <span>

#include "base/result.h"
#include "tensor/safetensors.h"
#include "tensor/tensor.h"

namespace assay::tensor {

/// Whether Convert knows the pair: equal types, and any floating point to float32.
bool Converts(DType from, DType to);

/// Feeds `bytes`, elements of `from`, to `sink` as elements of `to`; small pieces at a time, so
/// that no second copy of a large tensor is ever held. float16 and bfloat16 widen exactly, float64
/// is rounded to nearest. Errors  kInvalidArgument for a float64 that float32 cannot hold; those of
/// `sink`.
Status Convert(std::span<const std::byte> bytes, DType from, DType to, const Sink& sink);

}  // namespace assay::tensor
