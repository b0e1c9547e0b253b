// Random weights: the values of one tensor, drawn from its name and a seed. The same bits on every
// machine: integers become floats by exact steps, and only + - * / and square roots, which IEEE 754
// rounds correctly, follow; nothing from libm.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <variant>

#include "base/result.h"

namespace assay::zoo {

/// Uniform in [center - half_width, center + half_width).
struct Uniform {
  float center = 0;
  float half_width = 0;
};

/// One value per filter (row) of another tensor drawn at random: offset + scale * (sum over the
/// filter's weights, or over their squares). What a batch norm measures behind a convolution whose
/// inputs have a known mean and variance.
struct FilterSums {
  std::string weight;         // the other tensor
  std::uint64_t filter_size;  // elements of one filter
  Uniform drawn;              // as the other tensor is
  bool squares = false;
  double scale = 1;
  double offset = 0;
};

using Initial = std::variant<Uniform, FilterSums>;

/// A line that tells apart any two rules, for cache keys; names the generator too.
std::string Describe(const Initial& initial);

/// Feeds the bytes of `count` float32 to `sink`, in pieces of bounded size.
Status Draw(const std::string& name, std::uint64_t seed, const Initial& initial,
            std::uint64_t count, const std::function<Status(std::span<const std::byte>)>& sink);

/// Half the width of the uniform distribution of variance gain^2 / fan_in. Gain sqrt(2) keeps the
/// size of activations through ReLU.
/// Source  He, Zhang, Ren, Sun, arXiv:1502.01852, section 2.2 (variance 2 / fan_in).
float HalfWidth(double gain_squared, std::int64_t fan_in);

}  // namespace assay::zoo
