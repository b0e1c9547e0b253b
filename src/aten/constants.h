// Constants of a graph as numbers: shape operands, scalars, attributes.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "tensor/tensor.h"

namespace assay::aten {

/// The elements of an int32, int64 or bool tensor; nothing for other types.
std::optional<std::vector<std::int64_t>> Integers(const tensor::Tensor& tensor);

/// The elements of a floating-point tensor, float32 as Decimal reads it; nothing for others.
std::optional<std::vector<double>> Floats(const tensor::Tensor& tensor);

/// The one element of a floating-point tensor, or one of int32, int64 or bool; nothing for others
/// and sizes. A float32 is read as Decimal reads it.
std::optional<double> OnlyNumber(const tensor::Tensor& tensor);

/// The double with the fewest decimal digits that rounds to the float32 nearest to `number`: 1e-05
/// for the float32 of 1e-05, which is what the author wrote and eager PyTorch passes as a double.
double Decimal(double number);

struct Bounds {
  double low = 0, high = 0;
};

/// What an integer of 8 or 16 bits can hold; nothing for other types.
std::optional<Bounds> IntegerRange(tensor::DType dtype);

/// A tensor of int64, for operands that must be tensors.
tensor::Tensor IntegerTensor(std::vector<std::int64_t> values, tensor::Shape shape);

}  // namespace assay::aten
