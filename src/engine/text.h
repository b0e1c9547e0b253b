// Text in safetensors files, which have no type for it: a tensor of strings travels as uint8 with
// one more axis, each string as long as the longest, padded with zero bytes.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "tensor/tensor.h"

namespace assay::engine {

/// strings  in row-major order, as many as `shape` has elements
tensor::Tensor FromStrings(std::string name, tensor::Shape shape,
                           const std::vector<std::string>& strings);

/// The strings of a tensor that FromStrings made. shape  with the axis of the bytes
std::vector<std::string> ToStrings(const tensor::Shape& shape, std::span<const std::byte> bytes);

}  // namespace assay::engine
