#include "tensor/tensor.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <limits>

namespace assay::tensor {
namespace {

struct Row {
  DType dtype;
  std::string_view name;
  std::size_t size;
};

constexpr std::array<Row, 14> kTypes = {{{DType::kFloat32, "float32", 4},
                                         {DType::kFloat64, "float64", 8},
                                         {DType::kFloat16, "float16", 2},
                                         {DType::kBFloat16, "bfloat16", 2},
                                         {DType::kInt8, "int8", 1},
                                         {DType::kInt16, "int16", 2},
                                         {DType::kInt32, "int32", 4},
                                         {DType::kInt64, "int64", 8},
                                         {DType::kUInt8, "uint8", 1},
                                         {DType::kUInt16, "uint16", 2},
                                         {DType::kUInt32, "uint32", 4},
                                         {DType::kUInt64, "uint64", 8},
                                         {DType::kBool, "bool", 1},
                                         {DType::kString, "string", 1}}};

const Row& RowOf(DType dtype) {
  return *std::find_if(kTypes.begin(), kTypes.end(),
                       [&](const Row& row) { return row.dtype == dtype; });
}

}  // namespace

std::string_view Name(DType dtype) { return RowOf(dtype).name; }

std::size_t SizeOf(DType dtype) { return RowOf(dtype).size; }

bool IsFloat(DType dtype) {
  return dtype == DType::kFloat16 || dtype == DType::kBFloat16 || dtype == DType::kFloat32 ||
         dtype == DType::kFloat64;
}

std::optional<DType> ParseDType(std::string_view name) {
  for (const Row& row : kTypes) {
    if (row.name == name) {
      return row.dtype;
    }
  }
  return std::nullopt;
}

Result<std::uint64_t> ElementCount(const Shape& shape) {
  // Signed, so that byte offsets fit what files and runtimes count in.
  constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max() / 8;
  std::int64_t count = 1;
  bool empty = false;
  for (const std::int64_t dimension : shape) {
    if (dimension < 0) {
      return Error{Code::kInvalidArgument,
                   fmt::format("shape {} has a negative dimension", ToString(shape)), ""};
    }
    // An empty tensor's other dimensions must still be sane: runtimes multiply strides of them.
    empty = empty || dimension == 0;
    const std::int64_t factor = std::max<std::int64_t>(dimension, 1);
    if (count > kMost / factor) {
      return Error{Code::kInvalidArgument,
                   fmt::format("shape {} has too many elements", ToString(shape)), ""};
    }
    count *= factor;
  }
  return static_cast<std::uint64_t>(empty ? 0 : count);
}

std::string ToString(const Shape& shape) {
  return shape.empty() ? "scalar" : fmt::format("{}", fmt::join(shape, "x"));
}

}  // namespace assay::tensor
