// Reproducible draws without state: the same on every machine.
#pragma once

#include <cmath>
#include <cstdint>

namespace assay::engine::fake {

/// Source  Steele, Lea, Flood, OOPSLA 2014 (SplitMix64's finaliser)
constexpr std::uint64_t Mix(std::uint64_t x) {
  x += 0x9e3779b97f4a7c15;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
  x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
  return x ^ (x >> 31);
}

/// Uniform in [0, 1).
constexpr double Uniform(std::uint64_t x) { return static_cast<double>(Mix(x) >> 11) * 0x1p-53; }

/// Standard normal. Source  Box and Muller, Ann. Math. Stat. 29(2), 1958
inline double Normal(std::uint64_t x) {
  constexpr double kTwoPi = 6.283185307179586;
  return std::sqrt(-2 * std::log(1 - Uniform(2 * x))) * std::cos(kTwoPi * Uniform(2 * x + 1));
}

}  // namespace assay::engine::fake
