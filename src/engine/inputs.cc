#include "engine/inputs.h"

#include <fmt/format.h>

#include <bit>
#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include "base/text.h"

namespace assay::engine {
namespace {

using tensor::DType;

bool Fits(const tensor::Type& type, const tensor::Type& wanted) {
  if (type.dtype != wanted.dtype || type.shape.size() != wanted.shape.size()) {
    return false;
  }
  for (std::size_t i = 0; i < type.shape.size(); ++i) {
    if (wanted.shape[i] != -1 && wanted.shape[i] != type.shape[i]) {
      return false;
    }
  }
  return true;
}

std::string Describe(const tensor::Type& type) {
  return fmt::format("{} {}", tensor::Name(type.dtype), tensor::ToString(type.shape));
}

template <typename T>
T Load(const std::byte* bytes) {
  T value;
  std::memcpy(&value, bytes, sizeof value);
  return value;
}

double ElementAsDouble(const std::byte* bytes, DType dtype) {
  switch (dtype) {
    case DType::kFloat64:
      return Load<double>(bytes);
    case DType::kFloat16:
      return static_cast<double>(Load<_Float16>(bytes));
    case DType::kBFloat16:
      return std::bit_cast<float>(static_cast<std::uint32_t>(Load<std::uint16_t>(bytes)) << 16);
    default:
      return Load<float>(bytes);
  }
}

template <typename To>
std::vector<std::byte> Convert(const tensor::Tensor& raw) {
  const std::size_t size = tensor::SizeOf(raw.type.dtype);
  const std::size_t count = raw.data.size() / size;
  std::vector<std::byte> data(count * sizeof(To));
  for (std::size_t i = 0; i < count; ++i) {
    const To value = static_cast<To>(ElementAsDouble(raw.data.data() + i * size, raw.type.dtype));
    std::memcpy(data.data() + i * sizeof(To), &value, sizeof value);
  }
  return data;
}

}  // namespace

AlignedBuffer::AlignedBuffer(std::span<const std::byte> bytes) : AlignedBuffer(bytes.size()) {
  if (!bytes.empty()) {
    std::memcpy(data_.get(), bytes.data(), bytes.size());
  }
}

Result<const tensor::Entry*> FindInput(const tensor::SafetensorsFile& inputs, std::string_view name,
                                       int set, const tensor::Type& wanted) {
  const std::string key = fmt::format("{}.{}", name, set);
  const tensor::Entry* entry = inputs.Find(key);
  if (entry == nullptr) {
    std::vector<std::string> present;
    for (const tensor::Entry& other : inputs.entries()) {
      present.push_back(other.name);
    }
    return Error{Code::kNotFound,
                 fmt::format("the model takes '{}', but the inputs' file has no '{}'; it has {}",
                             name, key, present.empty() ? "none" : Join(present, ", ")),
                 ""};
  }
  if (!Fits(entry->type, wanted)) {
    return Error{Code::kInvalidArgument,
                 fmt::format("input '{}' is {}, the model takes {}", key, Describe(entry->type),
                             Describe(wanted)),
                 ""};
  }
  return entry;
}

tensor::Tensor AsOutput(tensor::Tensor raw, bool as_float64) {
  const DType dtype = as_float64 ? DType::kFloat64 : DType::kFloat32;
  if (tensor::IsFloat(raw.type.dtype) && raw.type.dtype != dtype) {
    raw.data = as_float64 ? Convert<double>(raw) : Convert<float>(raw);
    raw.type.dtype = dtype;
  }
  return raw;
}

}  // namespace assay::engine
