#include "engine/text.h"

#include <algorithm>
#include <cstring>

namespace assay::engine {

tensor::Tensor FromStrings(std::string name, tensor::Shape shape,
                           const std::vector<std::string>& strings) {
  std::size_t width = 1;
  for (const std::string& string : strings) {
    width = std::max(width, string.size());
  }
  shape.push_back(static_cast<std::int64_t>(width));
  tensor::Tensor made{.name = std::move(name),
                      .type = {tensor::DType::kUInt8, std::move(shape)},
                      .data = std::vector<std::byte>(strings.size() * width)};
  for (std::size_t i = 0; i < strings.size(); ++i) {
    std::memcpy(made.data.data() + i * width, strings[i].data(), strings[i].size());
  }
  return made;
}

std::vector<std::string> ToStrings(const tensor::Shape& shape, std::span<const std::byte> bytes) {
  std::vector<std::string> strings;
  const auto width = static_cast<std::size_t>(shape.empty() ? 0 : shape.back());
  for (std::size_t at = 0; width > 0 && at + width <= bytes.size(); at += width) {
    const auto* text = reinterpret_cast<const char*>(bytes.data() + at);
    strings.emplace_back(text, ::strnlen(text, width));
  }
  return strings;
}

}  // namespace assay::engine
