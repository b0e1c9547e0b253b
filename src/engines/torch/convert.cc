#include "engines/torch/convert.h"

#include <ATen/ops/empty.h>
#include <c10/core/ScalarType.h>
#include <c10/util/Exception.h>
#include <fmt/format.h>

#include <array>
#include <cstring>
#include <utility>

namespace assay::engine_torch {
namespace {

constexpr std::array<std::pair<tensor::DType, at::ScalarType>, 13> kTypes = {{
    {tensor::DType::kFloat32, at::kFloat},
    {tensor::DType::kFloat64, at::kDouble},
    {tensor::DType::kFloat16, at::kHalf},
    {tensor::DType::kBFloat16, at::kBFloat16},
    {tensor::DType::kInt8, at::kChar},
    {tensor::DType::kInt16, at::kShort},
    {tensor::DType::kInt32, at::kInt},
    {tensor::DType::kInt64, at::kLong},
    {tensor::DType::kUInt8, at::kByte},
    {tensor::DType::kUInt16, at::kUInt16},
    {tensor::DType::kUInt32, at::kUInt32},
    {tensor::DType::kUInt64, at::kUInt64},
    {tensor::DType::kBool, at::kBool},
}};

}  // namespace

Result<at::ScalarType> ScalarTypeOf(std::string_view precision) {
  if (precision == "fp32") {
    return at::kFloat;
  }
  if (precision == "fp64") {
    return at::kDouble;
  }
  if (precision == "bf16") {
    return at::kBFloat16;
  }
  if (precision == "fp16") {
    return at::kHalf;
  }
  return Error{Code::kUnsupported, fmt::format("the torch engine has no precision '{}'", precision),
               "it has fp32, fp64, bf16, fp16"};
}

at::ScalarType ScalarTypeOf(tensor::DType dtype) {
  for (const auto& [ours, theirs] : kTypes) {
    if (ours == dtype) {
      return theirs;
    }
  }
  return at::ScalarType::Undefined;
}

at::ScalarType CastType(tensor::DType dtype, at::ScalarType precision) {
  const at::ScalarType type = ScalarTypeOf(dtype);
  return c10::isFloatingType(type) && precision != kAsIs ? precision : type;
}

at::Tensor CopyTensor(std::span<const std::byte> bytes, const tensor::Type& type,
                      at::ScalarType precision) {
  const at::Tensor copy = at::empty(type.shape, at::dtype(ScalarTypeOf(type.dtype)));
  if (!bytes.empty()) {
    std::memcpy(copy.mutable_data_ptr(), bytes.data(), bytes.size());
  }
  return copy.to(CastType(type.dtype, precision));
}

Result<tensor::Tensor> ExportTensor(const at::Tensor& tensor, std::string name) {
  const bool reduced = tensor.is_floating_point() && tensor.scalar_type() != at::kDouble;
  const at::Tensor plain = (reduced ? tensor.to(at::kFloat) : tensor).contiguous();
  for (const auto& [ours, theirs] : kTypes) {
    if (theirs == plain.scalar_type()) {
      const auto* data = static_cast<const std::byte*>(plain.const_data_ptr());
      return tensor::Tensor{.name = std::move(name),
                            .type = {.dtype = ours, .shape = plain.sizes().vec()},
                            .data = std::vector<std::byte>(data, data + plain.nbytes())};
    }
  }
  return Error{Code::kUnsupported,
               fmt::format("output '{}' has element type {}, which assay cannot compare", name,
                           c10::toString(plain.scalar_type())),
               ""};
}

Error ErrorOf(const std::exception& exception, std::string_view where) {
  const auto* torch_error = dynamic_cast<const c10::Error*>(&exception);
  std::string_view text =
      torch_error != nullptr ? torch_error->what_without_backtrace() : exception.what();
  text = text.substr(0, text.find('\n'));
  const bool missing = dynamic_cast<const c10::NotImplementedError*>(&exception) != nullptr;
  const Code code = missing ? Code::kUnsupported : Code::kInternal;
  return {code, where.empty() ? std::string(text) : fmt::format("{}: {}", where, text), ""};
}

}  // namespace assay::engine_torch
