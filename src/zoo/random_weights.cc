#include "zoo/random_weights.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "base/file.h"

namespace assay::zoo {
namespace {

/// SplitMix64 (Steele, Lea, Flood, OOPSLA'14, figure 16), started from a hash of name and seed.
class Generator {
 public:
  Generator(const std::string& name, std::uint64_t seed) {
    const std::string digest = Sha256Of(fmt::format("{}:{}", seed, name));
    state_ = std::stoull(digest.substr(0, 16), nullptr, 16);
  }

  float Next(const Uniform& uniform) {
    state_ += 0x9e3779b97f4a7c15u;
    std::uint64_t z = state_;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    z ^= z >> 31;
    // 24 bits fit a float exactly, and so does their distance from the middle.
    const auto centered = static_cast<std::int32_t>(z >> 40) - (1 << 23);
    const float unit = static_cast<float>(centered) * 0x1p-23F;
    return uniform.center + uniform.half_width * unit;
  }

 private:
  std::uint64_t state_ = 0;
};

/// Gathers floats and hands them on in pieces.
class Pieces {
 public:
  explicit Pieces(const std::function<Status(std::span<const std::byte>)>& sink) : sink_(sink) {
    values_.reserve(kMost);
  }

  Status Add(float value) {
    values_.push_back(value);
    return values_.size() == kMost ? Flush() : Status();
  }

  Status Flush() {
    Status status = sink_(std::as_bytes(std::span(values_)));
    values_.clear();
    return status;
  }

 private:
  static constexpr std::size_t kMost = 65536;
  const std::function<Status(std::span<const std::byte>)>& sink_;
  std::vector<float> values_;
};

}  // namespace

std::string Describe(const Initial& initial) {
  if (const auto* uniform = std::get_if<Uniform>(&initial)) {
    return fmt::format("splitmix64 {} {}", uniform->center, uniform->half_width);
  }
  const auto& sums = std::get<FilterSums>(initial);
  return fmt::format("sums of {} {} {} squares {} scale {} offset {}", sums.weight,
                     sums.filter_size, Describe(sums.drawn), sums.squares, sums.scale, sums.offset);
}

Status Draw(const std::string& name, std::uint64_t seed, const Initial& initial,
            std::uint64_t count, const std::function<Status(std::span<const std::byte>)>& sink) {
  Pieces pieces(sink);
  if (const auto* uniform = std::get_if<Uniform>(&initial)) {
    Generator generator(name, seed);
    for (std::uint64_t i = 0; i < count; ++i) {
      ASSAY_TRY(pieces.Add(generator.Next(*uniform)));
    }
    return pieces.Flush();
  }
  const auto& sums = std::get<FilterSums>(initial);
  Generator generator(sums.weight, seed);
  for (std::uint64_t i = 0; i < count; ++i) {
    double sum = 0;
    for (std::uint64_t k = 0; k < sums.filter_size; ++k) {
      const double weight = generator.Next(sums.drawn);
      sum += sums.squares ? weight * weight : weight;
    }
    ASSAY_TRY(pieces.Add(static_cast<float>(sums.offset + sums.scale * sum)));
  }
  return pieces.Flush();
}

float HalfWidth(double gain_squared, std::int64_t fan_in) {
  // A uniform distribution's variance is a third of its half-width squared.
  return static_cast<float>(std::sqrt(3 * gain_squared / static_cast<double>(fan_in)));
}

}  // namespace assay::zoo
