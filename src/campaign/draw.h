// Random values of an input, from its domain, the seed and its name alone: the same on every
// machine.
#pragma once

#include <cstdint>

#include "model/domain.h"
#include "model/graph.h"
#include "tensor/tensor.h"

namespace assay::campaign {

inline constexpr int kGentlest = 3;

/// What to draw from instead when the model gives no numbers: floats in [0.1, 0.9], then in [0.5,
/// 1.5], then about zero, as far as `domain` has them; integers of which nothing is known 0 or 1.
///
/// gentleness  0 (the domain as it is) to kGentlest
model::Domain Gentler(model::Domain domain, int gentleness);

/// Set `set` of an input as the workers' file has it: "NAME.SET".
tensor::Tensor Draw(const model::Value& input, const model::Domain& domain, std::uint64_t seed,
                    int set);

}  // namespace assay::campaign
