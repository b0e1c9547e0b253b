// The safetensors spelling of element types, shared by the reader and the writer.
#pragma once

#include <array>
#include <string_view>
#include <utility>

#include "tensor/tensor.h"

namespace assay::tensor {

inline constexpr std::array<std::pair<DType, std::string_view>, 13> kDTypeCodes = {
    {{DType::kFloat32, "F32"},
     {DType::kFloat64, "F64"},
     {DType::kFloat16, "F16"},
     {DType::kBFloat16, "BF16"},
     {DType::kInt8, "I8"},
     {DType::kInt16, "I16"},
     {DType::kInt32, "I32"},
     {DType::kInt64, "I64"},
     {DType::kUInt8, "U8"},
     {DType::kUInt16, "U16"},
     {DType::kUInt32, "U32"},
     {DType::kUInt64, "U64"},
     {DType::kBool, "BOOL"}}};

}  // namespace assay::tensor
