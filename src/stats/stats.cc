#include "stats/stats.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

namespace assay::stats {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr double kOutlierSigmas = 10;
constexpr std::size_t kSteadySlices = 3;
constexpr std::size_t kFlatSlices = 2;
constexpr double kSteadyWithin = 0.02;

/// The standard deviation of the bulk of the values, from their absolute deviations from the
/// median: 1.4826 x the median of these or, where more than half of the values are equal and it is
/// 0, 1.2533 x their mean. Both are the standard deviation for normal values.
/// Source  Iglewicz, Hoaglin, How to Detect and Handle Outliers, ASQC 1993.
double RobustSigma(const std::vector<double>& deviations) {
  const double median = Median(deviations);
  return median > 0 ? 1.4826 * median : 1.2533 * Mean(deviations);
}

}  // namespace

double Median(std::span<const double> values) {
  if (values.empty()) {
    return kNaN;
  }
  std::vector<double> copy(values.begin(), values.end());
  const auto middle = copy.begin() + static_cast<std::ptrdiff_t>(copy.size() / 2);
  std::nth_element(copy.begin(), middle, copy.end());
  if (copy.size() % 2 == 1) {
    return *middle;
  }
  const double below = *std::max_element(copy.begin(), middle);
  return below + (*middle - below) / 2;
}

double Mean(std::span<const double> values) {
  if (values.empty()) {
    return kNaN;
  }
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

double StandardDeviation(std::span<const double> values) {
  if (values.size() < 2) {
    return kNaN;
  }
  const double mean = Mean(values);
  double squares = 0;
  for (const double value : values) {
    squares += (value - mean) * (value - mean);
  }
  return std::sqrt(squares / static_cast<double>(values.size() - 1));
}

std::vector<std::size_t> Outliers(std::span<const double> values) {
  const double median = Median(values);
  std::vector<double> deviations;
  for (const double value : values) {
    deviations.push_back(std::abs(value - median));
  }
  const double limit = kOutlierSigmas * RobustSigma(deviations);
  std::vector<std::size_t> found;
  for (std::size_t i = 0; i < deviations.size(); ++i) {
    if (deviations[i] > limit) {
      found.push_back(i);
    }
  }
  return found;
}

bool IsSteady(std::span<const double> slice_medians) {
  if (slice_medians.size() < kSteadySlices) {
    return false;
  }
  const auto last = slice_medians.last(kSteadySlices);
  const auto [low, high] = std::minmax_element(last.begin(), last.end());
  return *high <= *low * (1 + kSteadyWithin);
}

bool NoLongerFalls(std::span<const double> slice_medians) {
  if (slice_medians.size() < 2 * kFlatSlices) {
    return false;
  }
  const auto last = slice_medians.last(kFlatSlices);
  const auto before = slice_medians.first(slice_medians.size() - kFlatSlices);
  return *std::ranges::min_element(last) * (1 + kSteadyWithin) >= *std::ranges::min_element(before);
}

}  // namespace assay::stats
