// Tensors as values: element types, shapes and named arrays of bytes. No arithmetic lives here.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace assay::tensor {

enum class DType {
  kFloat32,
  kFloat64,
  kFloat16,
  kBFloat16,
  kInt8,
  kInt16,
  kInt32,
  kInt64,
  kUInt8,
  kUInt16,
  kUInt32,
  kUInt64,
  kBool,
  kString,  // of any length; their bytes travel as engine/text.h says
};

/// "float32", "bfloat16", "int64", "bool": the spelling of every JSON file and message of assay.
std::string_view Name(DType dtype);
std::optional<DType> ParseDType(std::string_view name);
std::size_t SizeOf(DType dtype);  // bytes per element; 1 for strings, the least they take
bool IsFloat(DType dtype);        // floating point of any size

using Shape = std::vector<std::int64_t>;

/// Elements of a shape; kInvalidArgument when a dimension is negative or the product (or the
/// product in bytes of 8 per element) overflows.
Result<std::uint64_t> ElementCount(const Shape& shape);
std::string ToString(const Shape& shape);  // "1x3x224x224", "scalar"

struct Type {
  DType dtype = DType::kFloat32;
  Shape shape;
  bool operator==(const Type&) const = default;
};

/// A named tensor that owns its bytes (row-major, little endian).
struct Tensor {
  std::string name;
  Type type;
  std::vector<std::byte> data;
};

}  // namespace assay::tensor
