#include "campaign/draw.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <numeric>
#include <string_view>
#include <type_traits>

#include "engine/text.h"

namespace assay::campaign {
namespace {

using model::Domain;
using model::Range;

/// Source  Steele, Lea, Flood, OOPSLA 2014 (SplitMix64)
class SplitMix {
 public:
  explicit SplitMix(std::uint64_t seed) : state_(seed) {}
  std::uint64_t Next() {
    std::uint64_t z = (state_ += 0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
  }
  double Uniform() { return static_cast<double>(Next() >> 11) * 0x1p-53; }  // [0, 1)
  std::uint64_t Below(std::uint64_t end) { return Next() % end; }

 private:
  std::uint64_t state_;
};

std::uint64_t HashOf(std::string_view name, std::uint64_t seed, int set) {
  std::uint64_t hash = 0xcbf29ce484222325;  // FNV-1a
  for (const char c : name) {
    hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  }
  return SplitMix(hash ^ SplitMix(seed).Next()).Next() + static_cast<std::uint64_t>(set);
}

template <typename T>
void Append(std::vector<std::byte>& bytes, T value) {
  const auto* begin = reinterpret_cast<const std::byte*>(&value);
  bytes.insert(bytes.end(), begin, begin + sizeof value);
}

/// The upper half of a float32: a bfloat16, rounded towards zero.
std::uint16_t BFloat16(float value) {
  return static_cast<std::uint16_t>(std::bit_cast<std::uint32_t>(value) >> 16);
}

/// IEEE half of `value` below 65504, rounded towards zero; below 2^-14 it becomes 0.
std::uint16_t Half(float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  const auto exponent = static_cast<std::int32_t>((bits >> 23) & 0xff) - 127 + 15;
  const std::uint32_t sign = (bits >> 16) & 0x8000;
  return static_cast<std::uint16_t>(
      exponent <= 0 ? sign
                    : sign | static_cast<std::uint32_t>(exponent) << 10 | ((bits >> 13) & 0x3ff));
}

void AppendValue(std::vector<std::byte>& bytes, tensor::DType dtype, double value) {
  switch (dtype) {
    case tensor::DType::kFloat64:
      return Append(bytes, value);
    case tensor::DType::kFloat16:
      return Append(bytes, Half(static_cast<float>(value)));
    case tensor::DType::kBFloat16:
      return Append(bytes, BFloat16(static_cast<float>(value)));
    case tensor::DType::kFloat32:
      return Append(bytes, static_cast<float>(value));
    default: {
      const auto integer = static_cast<std::int64_t>(value);
      const auto* begin = reinterpret_cast<const std::byte*>(&integer);  // little endian
      bytes.insert(bytes.end(), begin, begin + tensor::SizeOf(dtype));
    }
  }
}

double DrawFrom(const Range& range, SplitMix& random) {
  return range.whole ? range.low + static_cast<double>(random.Below(
                                       static_cast<std::uint64_t>(range.high - range.low) + 1))
                     : range.low + (range.high - range.low) * random.Uniform();
}

/// Places of which none comes twice while there are others: a walk through all of them by steps
/// that share no divisor with their number.
class Walk {
 public:
  Walk(std::uint64_t places, SplitMix& random) : places_(places), start_(random.Below(places)) {
    constexpr std::uint64_t kMost = 1u << 31;  // so that no product overflows
    do {
      step_ = 1 + random.Below(std::min(places, kMost));
    } while (std::gcd(step_, places) != 1);
  }
  std::uint64_t At(std::uint64_t i) const {
    return (start_ + i % places_ * step_ % places_) % places_;
  }

 private:
  std::uint64_t places_, start_, step_ = 1;
};

std::uint64_t Width(const Range& range) {
  return static_cast<std::uint64_t>(range.high - range.low) + 1;
}

/// Product of the sizes behind `axis`: how far apart its neighbours lie.
std::uint64_t Stride(const tensor::Shape& shape, std::size_t axis) {
  std::uint64_t stride = 1;
  for (std::size_t i = axis + 1; i < shape.size(); ++i) {
    stride *= static_cast<std::uint64_t>(shape[i]);
  }
  return stride;
}

std::vector<double> Distinct(const tensor::Shape& shape, const Domain& domain,
                             std::uint64_t elements, SplitMix& random) {
  const std::size_t columns = domain.each.size();
  std::uint64_t places = 1;
  for (const Range& range : domain.each) {
    places *= Width(range);
  }
  const Walk walk(places, random);
  const bool along = columns == 1 && *domain.distinct < shape.size();
  const std::uint64_t stride = along ? Stride(shape, *domain.distinct) : columns;
  std::vector<double> values(elements);
  for (std::uint64_t i = 0; i < elements; ++i) {
    // Of a tuple, what is left of its place by the columns behind.
    std::uint64_t place = walk.At(
        along ? i / stride % static_cast<std::uint64_t>(shape[*domain.distinct]) : i / stride);
    for (std::size_t column = columns - 1; column > i % columns; --column) {
      place /= Width(domain.each[column]);
    }
    const Range& range = domain.each[i % columns];
    values[i] = range.low + static_cast<double>(place % Width(range));
  }
  return values;
}

std::vector<double> Values(const tensor::Shape& shape, const Domain& domain, std::uint64_t elements,
                           SplitMix& random) {
  if (domain.distinct) {
    return Distinct(shape, domain, elements, random);
  }
  const std::uint64_t row = shape.empty() ? 1 : static_cast<std::uint64_t>(shape.back());
  std::vector<double> values(elements);
  for (std::uint64_t i = 0; i < elements; ++i) {
    values[i] = domain.among.empty() ? DrawFrom(domain.each[i % domain.each.size()], random)
                                     : domain.among[random.Below(domain.among.size())];
    if (domain.first && i % row == 0) {
      values[i] = *domain.first;
    }
  }
  return values;
}

std::string WordFrom(const std::vector<std::string>& known, SplitMix& random) {
  static const std::vector<std::string> kWords = {"red", "green", "blue", "a few words", "", "x"};
  const std::vector<std::string>& words = known.empty() ? kWords : known;
  return words[random.Below(words.size())];
}

}  // namespace

model::Domain Gentler(model::Domain domain, int gentleness) {
  constexpr Range kGentle[kGentlest] = {{0.1, 0.9}, {0.5, 1.5}, {-0.05, 0.05}};
  if (gentleness == 0) {
    return domain;
  }
  const bool known = !domain.reason.empty();
  for (Range& range : domain.each) {
    if (range.whole) {
      range = known ? range : Range{0, 1, true};
      continue;
    }
    const Range& gentle = kGentle[gentleness - 1];
    const Range both{std::max(range.low, gentle.low), std::min(range.high, gentle.high)};
    range = both.low < both.high ? both : range;
  }
  return domain;
}

tensor::Tensor Draw(const model::Value& input, const Domain& domain, std::uint64_t seed, int set) {
  tensor::Tensor drawn{
      .name = fmt::format("{}.{}", input.name, set), .type = input.type, .data = {}};
  const Result<std::uint64_t> elements = tensor::ElementCount(input.type.shape);
  SplitMix random(HashOf(input.name, seed, set));
  if (input.type.dtype == tensor::DType::kString) {
    std::vector<std::string> words(elements.ok() ? *elements : 0);
    for (std::string& word : words) {
      word = WordFrom(domain.words, random);
    }
    return engine::FromStrings(drawn.name, input.type.shape, words);
  }
  drawn.data.reserve((elements.ok() ? *elements : 0) * tensor::SizeOf(input.type.dtype));
  for (const double value :
       Values(input.type.shape, domain, elements.ok() ? *elements : 0, random)) {
    AppendValue(drawn.data, input.type.dtype, value);
  }
  return drawn;
}

}  // namespace assay::campaign
