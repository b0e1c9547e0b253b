// Between assay's values and PyTorch's: element types, tensors, exceptions.
#pragma once

#include <ATen/core/Tensor.h>

#include <exception>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"
#include "tensor/tensor.h"

namespace assay::engine_torch {

/// The floating-point type that a recipe's precision computes in: "fp32", "fp64", "bf16", "fp16".
/// Errors  kUnsupported for any other name.
Result<at::ScalarType> ScalarTypeOf(std::string_view precision);
at::ScalarType ScalarTypeOf(tensor::DType dtype);

/// Stands for a precision: floating-point types stay as they are.
inline constexpr at::ScalarType kAsIs = at::ScalarType::Undefined;
/// `dtype` as PyTorch's, any floating-point type replaced by `precision`; integers stay.
at::ScalarType CastType(tensor::DType dtype, at::ScalarType precision);

/// A copy of row-major `bytes` in storage of its own, aligned as PyTorch aligns, cast as CastType
/// says.
at::Tensor CopyTensor(std::span<const std::byte> bytes, const tensor::Type& type,
                      at::ScalarType precision);

/// A copy for the protocol: floating point as float32 (float64 when `tensor` is), integers as they
/// are.
/// Errors  kUnsupported for element types that assay has no name for.
Result<tensor::Tensor> ExportTensor(const at::Tensor& tensor, std::string name);

/// An exception of PyTorch as an Error: its first line after `where`; kUnsupported for what PyTorch
/// has not implemented. The kit recognises exhausted memory by the message.
Error ErrorOf(const std::exception& exception, std::string_view where);

}  // namespace assay::engine_torch
