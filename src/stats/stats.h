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
/// True once the last two of at least four slice medians bring nothing faster, beyond 2 %, than
/// those before: noisy perhaps, but warm.
bool NoLongerFalls(std::span<const double> slice_medians);

/// A ratio of times with an interval that covers the truth in at least 95 % of campaigns.
struct Comparison {
  double ratio = 1;                  // baseline time over arm time; above 1 the arm is faster
  std::optional<Interval> interval;  // of the ratio; nothing below 8 rounds
  double process_spread = 0;         // sd of generation medians, relative; 0 with one generation
  bool process_limited = false;      // processes differ by more than rounds explain (F test): only
                                     // more generations narrow the interval
  int rounds = 0;
  int generations = 0;
};

/// Compares by paired log ratios ln(baseline / arm), one vector per generation (process); empty
/// generations are left out.
///
/// When an F test on ranks sees no difference between generations (p >= 0.02), the ratio is the
/// median over all rounds, and the half-width on either side is hypot(r, 2 e): r from the rank
/// interval at 99 % (five looks cover 95 %), e = hypot(s, 0.004) / sqrt(G), s the sd of the
/// G generation medians. Otherwise the ratio is the mean of generation medians and the interval
/// t(0.98, G - 1) e.
///
/// Why not the rank interval or a plain t interval, as F says: three generations give F little
/// power, and stopping on a narrow t interval selects the campaigns whose processes happened to
/// agree. In the simulation of tests/statistics, stopped at a half-width of 1 %, with process
/// effects of 0 to 3 % of each process and quiet, drifting or bursty noise, the truth is held by
///   56 to 99 % of rank intervals alone (60 % with 1 % on a quiet machine),
///   90 to 99 % with F at 0.05 and t at 95 %,
///   94 to 100 % as above, with half-widths of 0.6 instead of 0.3 % on a quiet machine at 30
///   rounds, and 5 to 15 % wider elsewhere;
/// and 96 % find a true 3 % under bursts at 30 rounds. Stopped at 2 or 3 %, 92 % hold it. No rule
/// does much better: by a linear program over all functions of F (three generations, normal noise
/// as wide as these bursts), no interval that covers 93 % for every process effect finds the 3 % in
/// more than 97.6 % of campaigns.
Comparison Compare(const std::vector<std::vector<double>>& log_ratios);

/// The rounds at which the campaign may stop.
inline constexpr int kLooks[] = {12, 20, 30, 50, 80};

/// A difference of speed below this is none, whatever the statistics say.
inline constexpr double kLeastDifference = 0.01;

/// Whether the interval excludes 1 and the ratio is beyond 1 +- kLeastDifference.
bool Separated(const Comparison& comparison);

/// Which arms are slower than the leader, all claims together wrong in at most 5 % of campaigns.
///
/// to_leader  of each other arm: the leader's time over its own, so that slower is below 1
///
/// The leader is the fastest of arms that may be equals, and the campaign stops once they seem to
/// differ, so that intervals that are each right in 95 % of campaigns are not enough. An arm is
/// slower when the interval, widened as the normal quantile is for as many comparisons as there are
/// pairs among the arms in question, excludes 1 and the ratio is beyond kLeastDifference; those
/// that are slower are no longer in question, and the rest is looked at again.
/// Source  Bonferroni, stepping down as Holm, Scandinavian Journal of Statistics 6(2), 1979; held
///         to the simulation of tests/statistics.
std::vector<bool> SlowerThanLeader(std::span<const Comparison> to_leader);

}  // namespace assay::stats
