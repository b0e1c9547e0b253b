// Paired log ratios of rounds in generations: one ratio, one interval that holds the truth whether
// the processes differ among themselves or not.
#include <boost/math/distributions/fisher_f.hpp>
#include <boost/math/distributions/students_t.hpp>
#include <cmath>

#include "stats/stats.h"

namespace assay::stats {
namespace {

constexpr double kRoundsConfidence = 0.99;
constexpr double kProcessConfidence = 0.95;
constexpr double kProcessLevel = 0.05;

struct Spread {
  std::vector<double> medians;  // one per generation
  double between = 0;           // mean square between generations
  double within = 0;            // mean square of rounds within them
  double within_freedom = 0;
};

Spread SpreadOf(const std::vector<std::vector<double>>& generations) {
  Spread spread;
  double rounds = 0;
  double sum = 0;
  for (const auto& generation : generations) {
    spread.medians.push_back(Median(generation));
    rounds += static_cast<double>(generation.size());
    sum += Mean(generation) * static_cast<double>(generation.size());
  }
  for (const auto& generation : generations) {
    const double mean = Mean(generation);
    spread.between += static_cast<double>(generation.size()) * std::pow(mean - sum / rounds, 2);
    for (const double value : generation) {
      spread.within += (value - mean) * (value - mean);
    }
  }
  const double groups = static_cast<double>(generations.size());
  spread.within_freedom = rounds - groups;
  spread.between /= groups - 1;
  spread.within /= spread.within_freedom;
  return spread;
}

bool ExceedsRounds(const Spread& spread) {
  const double groups = static_cast<double>(spread.medians.size());
  if (groups < 2 || spread.within_freedom < 1 || !(spread.between > 0)) {
    return false;
  }
  if (!(spread.within > 0)) {
    return true;
  }
  const boost::math::fisher_f f(groups - 1, spread.within_freedom);
  return boost::math::cdf(boost::math::complement(f, spread.between / spread.within)) <
         kProcessLevel;
}

Interval ProcessInterval(const std::vector<double>& medians) {
  const double groups = static_cast<double>(medians.size());
  const boost::math::students_t t(groups - 1);
  const double half = boost::math::quantile(t, 0.5 + kProcessConfidence / 2) *
                      StandardDeviation(medians) / std::sqrt(groups);
  return {Mean(medians) - half, Mean(medians) + half};
}

}  // namespace

Comparison Compare(const std::vector<std::vector<double>>& log_ratios) {
  Comparison result;
  std::vector<std::vector<double>> generations;
  std::vector<double> all;
  for (const auto& generation : log_ratios) {
    if (!generation.empty()) {
      generations.push_back(generation);
      all.insert(all.end(), generation.begin(), generation.end());
    }
  }
  if (all.empty()) {
    return result;
  }
  result.rounds = static_cast<int>(all.size());
  const Spread spread = SpreadOf(generations);
  result.process_spread = generations.size() < 2 ? 0 : StandardDeviation(spread.medians);
  result.process_limited = ExceedsRounds(spread);
  const double center = result.process_limited ? Mean(spread.medians) : Median(all);
  const auto interval = result.process_limited ? ProcessInterval(spread.medians)
                                               : MedianInterval(all, kRoundsConfidence);
  result.ratio = std::exp(center);
  if (interval) {
    result.interval = Interval{std::exp(interval->low), std::exp(interval->high)};
  }
  return result;
}

}  // namespace assay::stats
