// What needs only the order of the values: exact for any distribution, however long its tail.
#include <algorithm>
#include <boost/math/distributions/binomial.hpp>
#include <cmath>

#include "stats/stats.h"

namespace assay::stats {
namespace {

constexpr double kPercentileRisk = 0.01;  // LoadGen's 1 - confidence

/// P[Bin(n, p) <= k]
double BinomialAtMost(int k, int n, double p) {
  return k >= n ? 1.0 : boost::math::cdf(boost::math::binomial(n, p), k);
}

std::vector<double> Sorted(std::span<const double> values) {
  std::vector<double> sorted(values.begin(), values.end());
  std::sort(sorted.begin(), sorted.end());
  return sorted;
}

}  // namespace

int SamplesNeeded(double p, int set_aside) {
  int n = set_aside + 1;
  while (BinomialAtMost(set_aside, n, 1 - p) > kPercentileRisk) {
    ++n;
  }
  return n;
}

std::optional<double> SupportedPercentile(std::span<const double> values, double p, int set_aside) {
  const int n = static_cast<int>(values.size());
  if (n <= set_aside || BinomialAtMost(set_aside, n, 1 - p) > kPercentileRisk) {
    return std::nullopt;
  }
  const auto rank = static_cast<std::size_t>(std::ceil(p * n));
  return Sorted(values)[rank - 1];
}

int MedianRank(int n, double confidence) {
  int rank = n / 2;
  while (rank > 0 && BinomialAtMost(rank - 1, n, 0.5) > (1 - confidence) / 2) {
    --rank;
  }
  return rank;
}

std::optional<Interval> MedianInterval(std::span<const double> values, double confidence) {
  const int rank = MedianRank(static_cast<int>(values.size()), confidence);
  if (rank == 0) {
    return std::nullopt;
  }
  const std::vector<double> sorted = Sorted(values);
  const auto index = static_cast<std::size_t>(rank - 1);
  return Interval{sorted[index], sorted[sorted.size() - 1 - index]};
}

}  // namespace assay::stats
