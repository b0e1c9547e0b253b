#include "tensor/convert.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <vector>

namespace assay::tensor {
namespace {

constexpr std::size_t kPiece = 16384;  // elements converted at a time

template <typename T>
T Load(const std::byte* bytes) {
  T value;  // mapped tensors are aligned to nothing
  std::memcpy(&value, bytes, sizeof value);
  return value;
}

float ToFloat32(const std::byte* bytes, DType from) {
  switch (from) {
    case DType::kFloat16:
      return static_cast<float>(Load<_Float16>(bytes));
    case DType::kBFloat16:
      return std::bit_cast<float>(static_cast<std::uint32_t>(Load<std::uint16_t>(bytes)) << 16);
    default:
      return static_cast<float>(Load<double>(bytes));
  }
}

/// The first of the doubles at `bytes` that is finite, but not as a float32.
Status CheckRange(const std::byte* bytes, const std::vector<float>& converted) {
  for (std::size_t i = 0; i < converted.size(); ++i) {
    const auto value = Load<double>(bytes + i * sizeof(double));
    if (std::isinf(converted[i]) && !std::isinf(value)) {
      return Error{Code::kInvalidArgument, fmt::format("{:g} is beyond float32", value), ""};
    }
  }
  return {};
}

}  // namespace

bool Converts(DType from, DType to) {
  const bool floating =
      from == DType::kFloat16 || from == DType::kBFloat16 || from == DType::kFloat64;
  return from == to || (to == DType::kFloat32 && floating);
}

Status Convert(std::span<const std::byte> bytes, DType from, DType to, const Sink& sink) {
  if (from == to) {
    return sink(bytes);
  }
  const std::size_t size = SizeOf(from);
  const std::size_t count = bytes.size() / size;
  std::vector<float> piece;
  for (std::size_t at = 0; at < count; at += piece.size()) {
    piece.resize(std::min(kPiece, count - at));
    const std::byte* begin = bytes.data() + at * size;
    for (std::size_t i = 0; i < piece.size(); ++i) {
      piece[i] = ToFloat32(begin + i * size, from);
    }
    if (from == DType::kFloat64) {
      ASSAY_TRY(CheckRange(begin, piece));
    }
    ASSAY_TRY(sink(std::as_bytes(std::span(piece))));
  }
  return {};
}

}  // namespace assay::tensor
