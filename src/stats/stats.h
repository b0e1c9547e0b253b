// Statistics of latencies, in double precision. Pure: no clock, no randomness of its own.
// docs/measuring.md has the method; each function names its source.
#pragma once

#include <optional>
#include <span>
#include <vector>

namespace assay::stats {

struct Interval {
  double low = 0, high = 0;
  double HalfWidth() const { return (high - low) / 2; }
};

double Median(std::span<const double> values);  // of a copy; NaN when empty
double Mean(std::span<const double> values);
double StandardDeviation(std::span<const double> values);  // n - 1; NaN below two values

/// The percentile p (0 < p < 1; nearest rank, the ceil(p n)-th smallest) when n supports it, else
/// nothing. n supports p with t = `set_aside` values set aside when P[Bin(n, 1-p) <= t] <= 0.01:
/// were the true percentile above the (t+1)-th largest value, at most t of n values would exceed
/// it, which happens once in a hundred times; so that value bounds it with 99 % confidence. For
/// t = 0 this is p^n <= 0.01: 44, 90 and 459 values for p90, p95 and p99.
/// Source  MLPerf LoadGen, early stopping (Reddi et al., ISCA 2020; loadgen/early_stopping.h).
std::optional<double> SupportedPercentile(std::span<const double> values, double p,
                                          int set_aside = 0);
/// The least n that supports the percentile p.
int SamplesNeeded(double p, int set_aside = 0);

/// The k for which the k-th smallest and the k-th largest of n values enclose the median with at
/// least `confidence`: the greatest with 2 P[Bin(n, 1/2) < k] <= 1 - confidence; 0 when there is
/// none. Source  David, Nagaraja, Order Statistics, 3rd ed., section 7.1.
int MedianRank(int n, double confidence);

/// Rank (sign) interval of the median at `confidence`; nothing when n is too small for it.
std::optional<Interval> MedianInterval(std::span<const double> values, double confidence);

/// Indices beyond 10 sigma estimated by the median absolute deviation.
std::vector<std::size_t> Outliers(std::span<const double> values);

/// True once the last three slice medians lie within 2 % of each other.
bool IsSteady(std::span<const double> slice_medians);

/// Paired log ratios ln(baseline / arm), one vector per generation (process).
struct Comparison {
  double ratio = 1;
  std::optional<Interval> interval;  // of the ratio
  double process_spread = 0;         // sd of generation medians, relative
  bool process_limited = false;      // the spread exceeds what rounds explain (F test)
  int rounds = 0;
};
Comparison Compare(const std::vector<std::vector<double>>& log_ratios);

/// The rounds at which the campaign may stop.
inline constexpr int kLooks[] = {12, 20, 30, 50, 80};

/// Two-sided sign-test p of "the median is 0".
double SignTestP(std::span<const double> values);
/// Which hypotheses Holm's procedure rejects at `alpha`, in the order given.
std::vector<bool> HolmRejects(std::span<const double> p_values, double alpha);

}  // namespace assay::stats
