// Paired log ratios of rounds in generations: one ratio, and one interval that holds the truth
// whether the processes differ among themselves or not. Every constant below was chosen by the
// simulation in tests/statistics, which fails when it stops covering.
#include <algorithm>
#include <boost/math/distributions/fisher_f.hpp>
#include <boost/math/distributions/normal.hpp>
#include <boost/math/distributions/students_t.hpp>
#include <cmath>

#include "stats/stats.h"

namespace assay::stats {
namespace {

using Generations = std::vector<std::vector<double>>;

constexpr double kRoundsConfidence = 0.99;     // of the rank interval: five looks, 95 % over all
constexpr double kProcessConfidence = 0.96;    // of the t interval: three looks with processes
constexpr double kFamilyError = 0.003;         // of a campaign's claims; gives 5 % in simulation
constexpr double kProcessLevel = 0.02;         // of the F test
constexpr double kProcessErrors = 2;           // standard errors allowed for unproved differences
constexpr double kLeastProcessSpread = 0.004;  // of log ratios; processes differ by this at least

/// The values' ranks (1-based, ties share their mean rank), generation by generation.
Generations Ranks(const Generations& generations) {
  std::vector<double> sorted;
  for (const auto& generation : generations) {
    sorted.insert(sorted.end(), generation.begin(), generation.end());
  }
  std::sort(sorted.begin(), sorted.end());
  Generations ranks = generations;
  for (auto& generation : ranks) {
    for (double& value : generation) {
      const auto [first, last] = std::equal_range(sorted.begin(), sorted.end(), value);
      value = static_cast<double>((first - sorted.begin()) + (last - sorted.begin()) + 1) / 2;
    }
  }
  return ranks;
}

/// The p of "all generations are alike" by the F test of one-way analysis of variance, done on
/// ranks because bursts would hide a difference behind the variance of a few rounds.
/// Source  Conover, Iman, The American Statistician 35(3), 1981.
double AlikeP(const Generations& generations) {
  const Generations ranks = Ranks(generations);
  const double groups = static_cast<double>(ranks.size());
  double rounds = 0;
  for (const auto& generation : ranks) {
    rounds += static_cast<double>(generation.size());
  }
  if (groups < 2 || rounds - groups < 1) {
    return 1;
  }
  double between = 0;
  double within = 0;
  for (const auto& generation : ranks) {
    const double mean = Mean(generation);
    const double offset = mean - (rounds + 1) / 2;
    between += static_cast<double>(generation.size()) * offset * offset;
    for (const double rank : generation) {
      within += (rank - mean) * (rank - mean);
    }
  }
  if (!(within > 0)) {
    return between > 0 ? 0 : 1;
  }
  const boost::math::fisher_f f(groups - 1, rounds - groups);
  return boost::math::cdf(
      boost::math::complement(f, (between / (groups - 1)) / (within / (rounds - groups))));
}

/// The interval when processes differ by more than rounds explain: a t interval over them.
Interval OverGenerations(const std::vector<double>& medians, double standard_error) {
  const boost::math::students_t t(static_cast<double>(medians.size()) - 1);
  const double half = boost::math::quantile(t, 0.5 + kProcessConfidence / 2) * standard_error;
  return {Mean(medians) - half, Mean(medians) + half};
}

/// The interval otherwise: that of the rounds, and in quadrature an allowance for differences
/// between processes that the F test has too few processes to see.
std::optional<Interval> OverRounds(const std::vector<double>& rounds, double standard_error) {
  const auto ranks = MedianInterval(rounds, kRoundsConfidence);
  if (!ranks) {
    return std::nullopt;
  }
  const double median = Median(rounds);
  const double allowance = kProcessErrors * standard_error;
  return Interval{median - std::hypot(median - ranks->low, allowance),
                  median + std::hypot(ranks->high - median, allowance)};
}

/// By how much wider an interval that covers 95 % has to be as one of `comparisons` of which all
/// are to cover, were errors normal.
double Widening(double comparisons) {
  const boost::math::normal normal;
  return boost::math::quantile(normal, 1 - kFamilyError / (2 * comparisons)) /
         boost::math::quantile(normal, 0.975);
}

/// Whether the interval, made wider by `factor` on the log scale, lies below 1.
bool Slower(const Comparison& comparison, double factor) {
  if (!comparison.interval || comparison.ratio >= 1 - kLeastDifference) {
    return false;
  }
  const double reach = std::log(comparison.interval->high / comparison.ratio);
  return std::log(comparison.ratio) + factor * reach < 0;
}

}  // namespace

bool Separated(const Comparison& comparison) {
  return comparison.interval && std::abs(comparison.ratio - 1) > kLeastDifference &&
         (comparison.interval->low > 1 || comparison.interval->high < 1);
}

std::vector<bool> SlowerThanLeader(std::span<const Comparison> to_leader) {
  std::vector<bool> slower(to_leader.size(), false);
  for (bool found = true; found;) {
    found = false;
    const auto others = static_cast<double>(std::count(slower.begin(), slower.end(), false));
    const double factor = Widening(std::max(1.0, others * (others + 1) / 2));
    for (std::size_t i = 0; i < slower.size(); ++i) {
      if (!slower[i] && Slower(to_leader[i], factor)) {
        slower[i] = found = true;
      }
    }
  }
  return slower;
}

Comparison Compare(const Generations& log_ratios) {
  Comparison result;
  Generations generations;
  std::vector<double> rounds;
  std::vector<double> medians;
  for (const auto& generation : log_ratios) {
    if (!generation.empty()) {
      generations.push_back(generation);
      rounds.insert(rounds.end(), generation.begin(), generation.end());
      medians.push_back(Median(generation));
    }
  }
  if (rounds.empty()) {
    return result;
  }
  result.rounds = static_cast<int>(rounds.size());
  result.generations = static_cast<int>(medians.size());
  result.process_spread = medians.size() < 2 ? 0 : StandardDeviation(medians);
  result.process_limited = AlikeP(generations) < kProcessLevel;
  const double standard_error = std::hypot(result.process_spread, kLeastProcessSpread) /
                                std::sqrt(static_cast<double>(medians.size()));
  const std::optional<Interval> interval = result.process_limited
                                               ? OverGenerations(medians, standard_error)
                                               : OverRounds(rounds, standard_error);
  result.ratio = std::exp(result.process_limited ? Mean(medians) : Median(rounds));
  if (interval) {
    result.interval = Interval{std::exp(interval->low), std::exp(interval->high)};
  }
  return result;
}

}  // namespace assay::stats
