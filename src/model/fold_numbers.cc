#include "model/fold_numbers.h"

#include <cstring>
#include <type_traits>

namespace assay::model {
namespace {

using tensor::DType;

template <typename T>
Numbers Decode(const std::vector<std::byte>& data) {
  Numbers numbers(data.size() / sizeof(T));
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    T element;
    std::memcpy(&element, data.data() + i * sizeof(T), sizeof(T));
    numbers[i] = static_cast<Number>(element);
  }
  return numbers;
}

template <typename T>
std::optional<std::vector<std::byte>> Encode(const Numbers& numbers) {
  std::vector<std::byte> data(numbers.size() * sizeof(T));
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    if (std::is_integral_v<T> &&
        !(numbers[i] >= static_cast<Number>(std::numeric_limits<T>::min()) &&
          numbers[i] <= static_cast<Number>(std::numeric_limits<T>::max()))) {
      return std::nullopt;
    }
    const T element = static_cast<T>(numbers[i]);
    std::memcpy(data.data() + i * sizeof(T), &element, sizeof(T));
  }
  return data;
}

}  // namespace

std::optional<Numbers> Decode(const tensor::Tensor& tensor) {
  switch (tensor.type.dtype) {
    case DType::kInt64:
      return Decode<std::int64_t>(tensor.data);
    case DType::kInt32:
      return Decode<std::int32_t>(tensor.data);
    case DType::kBool:
      return Decode<std::uint8_t>(tensor.data);
    case DType::kFloat32:
      return Decode<float>(tensor.data);
    case DType::kFloat64:
      return Decode<double>(tensor.data);
    default:
      return std::nullopt;
  }
}

std::optional<std::vector<std::byte>> Encode(const Numbers& numbers, DType dtype) {
  switch (dtype) {
    case DType::kInt64:
      return Encode<std::int64_t>(numbers);
    case DType::kInt32:
      return Encode<std::int32_t>(numbers);
    case DType::kBool:
      return Encode<std::uint8_t>(numbers);
    case DType::kFloat32:
      return Encode<float>(numbers);
    case DType::kFloat64:
      return Encode<double>(numbers);
    default:
      return std::nullopt;
  }
}

}  // namespace assay::model
