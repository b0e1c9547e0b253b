#include "aten/constants.h"

#include <array>
#include <bit>
#include <charconv>
#include <cmath>
#include <cstring>
#include <limits>

namespace assay::aten {
namespace {

template <typename T>
Bounds BoundsOf() {
  return {static_cast<double>(std::numeric_limits<T>::min()),
          static_cast<double>(std::numeric_limits<T>::max())};
}

template <typename T>
std::vector<T> Elements(const tensor::Tensor& tensor) {
  std::vector<T> elements(tensor.data.size() / sizeof(T));
  if (!elements.empty()) {
    std::memcpy(elements.data(), tensor.data.data(), elements.size() * sizeof(T));
  }
  return elements;
}

template <typename T>
std::vector<std::int64_t> Widened(const tensor::Tensor& tensor) {
  const std::vector<T> elements = Elements<T>(tensor);
  return {elements.begin(), elements.end()};
}

}  // namespace

std::optional<std::vector<std::int64_t>> Integers(const tensor::Tensor& tensor) {
  switch (tensor.type.dtype) {
    case tensor::DType::kInt64:
      return Widened<std::int64_t>(tensor);
    case tensor::DType::kInt32:
      return Widened<std::int32_t>(tensor);
    case tensor::DType::kBool:
      return Widened<std::uint8_t>(tensor);
    default:
      return std::nullopt;
  }
}

std::optional<std::vector<double>> Floats(const tensor::Tensor& tensor) {
  if (tensor.type.dtype == tensor::DType::kFloat64) {
    return Elements<double>(tensor);
  }
  if (tensor.type.dtype == tensor::DType::kFloat16) {
    const std::vector<_Float16> elements = Elements<_Float16>(tensor);
    return std::vector<double>(elements.begin(), elements.end());
  }
  if (tensor.type.dtype == tensor::DType::kBFloat16) {
    std::vector<double> widened;
    for (const std::uint16_t element : Elements<std::uint16_t>(tensor)) {
      widened.push_back(std::bit_cast<float>(static_cast<std::uint32_t>(element) << 16));
    }
    return widened;
  }
  if (tensor.type.dtype != tensor::DType::kFloat32) {
    return std::nullopt;
  }
  std::vector<double> decimals;
  for (const float element : Elements<float>(tensor)) {
    decimals.push_back(Decimal(element));
  }
  return decimals;
}

std::optional<double> OnlyNumber(const tensor::Tensor& tensor) {
  if (tensor.data.size() != tensor::SizeOf(tensor.type.dtype)) {
    return std::nullopt;
  }
  if (const auto floats = Floats(tensor)) {
    return floats->front();
  }
  const auto integers = Integers(tensor);
  return integers ? std::optional<double>(static_cast<double>(integers->front())) : std::nullopt;
}

double Decimal(double number) {
  if (!std::isfinite(number)) {
    return number;
  }
  std::array<char, 32> text{};
  const auto end = std::to_chars(text.begin(), text.end(), static_cast<float>(number)).ptr;
  double decimal = number;
  std::from_chars(text.data(), end, decimal);
  return decimal;
}

std::optional<Bounds> IntegerRange(tensor::DType dtype) {
  switch (dtype) {
    case tensor::DType::kInt8:
      return BoundsOf<std::int8_t>();
    case tensor::DType::kUInt8:
      return BoundsOf<std::uint8_t>();
    case tensor::DType::kInt16:
      return BoundsOf<std::int16_t>();
    case tensor::DType::kUInt16:
      return BoundsOf<std::uint16_t>();
    default:
      return std::nullopt;
  }
}

tensor::Tensor IntegerTensor(std::vector<std::int64_t> values, tensor::Shape shape) {
  tensor::Tensor tensor{"", {tensor::DType::kInt64, std::move(shape)}, {}};
  tensor.data.resize(values.size() * sizeof(std::int64_t));
  if (!values.empty()) {
    std::memcpy(tensor.data.data(), values.data(), tensor.data.size());
  }
  return tensor;
}

}  // namespace assay::aten
