#include "zoo/moments.h"

#include <algorithm>
#include <cmath>

namespace assay::zoo {
namespace {

/// e^x for |x| up to 50 as (1 + x / n)^n, n = 2^24, by squaring: x^2 / 2n off at most.
double Exponential(double x) {
  double power = 1 + x * 0x1p-24;
  for (int i = 0; i < 24; ++i) {
    power *= power;
  }
  return power;
}

double Sigmoid(double x) { return 1 / (1 + Exponential(-std::clamp(x, -40.0, 40.0))); }

/// Of function(x) by the trapezoidal rule over six standard deviations of x; exact to 1e-5 where
/// the function has a kink, far better elsewhere.
template <typename Function>
Moments Through(const Function& function, const Moments& x) {
  constexpr double kStep = 0x1p-6;
  const double deviation = std::sqrt(x.variance);
  double total = 0;
  double sum = 0;
  double squares = 0;
  for (double z = -6; z <= 6; z += kStep) {
    const double density = Exponential(-z * z / 2);
    const double y = function(x.mean + deviation * z);
    total += density;
    sum += density * y;
    squares += density * y * y;
  }
  const double mean = sum / total;
  return {mean, squares / total - mean * mean};
}

}  // namespace

Moments ClipMoments(const Moments& x, double low, double high) {
  return Through([=](double v) { return std::clamp(v, low, high); }, x);
}

Moments SiluMoments(const Moments& x) {
  return Through([](double v) { return v * Sigmoid(v); }, x);
}

Moments HardSwishMoments(const Moments& x) {
  return Through([](double v) { return v * std::clamp(v + 3, 0.0, 6.0) / 6; }, x);
}

Moments SigmoidMoments(const Moments& x) { return Through(Sigmoid, x); }

Moments GreatestMoments(const Moments& x, std::int64_t count) {
  const Moments standard = count == 4   ? Moments{1.029, 0.492}
                           : count == 9 ? Moments{1.485, 0.357}
                                        : Moments{1.965, 0.259};
  return {x.mean + standard.mean * std::sqrt(x.variance), standard.variance * x.variance};
}

Moments ProductMoments(const Moments& a, const Moments& b) {
  const double mean = a.mean * b.mean;
  const double square = (a.variance + a.mean * a.mean) * (b.variance + b.mean * b.mean);
  return {mean, square - mean * mean};
}

}  // namespace assay::zoo
