// Mean and variance of values that go through a network with random weights, as far as the rules
// that draw weights need them. Weights depend on these numbers, so they are the same bits on every
// machine: only + - * / and square roots, nothing from libm.
#pragma once

#include <cstdint>

namespace assay::zoo {

struct Moments {
  double mean = 0;
  double variance = 1;
};

/// Of min(max(x, low), high) for a normal x.
Moments ClipMoments(const Moments& x, double low, double high);

/// Of x * sigmoid(x) for a normal x.
/// Source  Elfwing, Uchibe, Doya, arXiv:1702.03118, equation 5 (the function).
Moments SiluMoments(const Moments& x);

/// Of x * min(max(x + 3, 0), 6) / 6 for a normal x.
/// Source  Howard et al., arXiv:1905.02244, section 5.2 (the function).
Moments HardSwishMoments(const Moments& x);

/// Of sigmoid(x) for a normal x.
Moments SigmoidMoments(const Moments& x);

/// Of the greatest of 4, 9 or 25 independent normal values.
/// Source  Teichroew, Annals of Mathematical Statistics 27 (1956), tables of order statistics; for
///         25 by integration.
Moments GreatestMoments(const Moments& x, std::int64_t count);

/// Of the product of two independent values.
Moments ProductMoments(const Moments& a, const Moments& b);

}  // namespace assay::zoo
