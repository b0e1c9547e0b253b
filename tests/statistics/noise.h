// A small model of a machine on which two arms are measured in rounds, and of a campaign that stops
// when it is precise enough: what the statistics are tried on, with the truth known.
#pragma once

#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "stats/stats.h"

namespace assay::stats {

/// What disturbs the slices of a campaign, as relative deviations of a slice's median (log scale).
/// Jitter is independent from slice to slice. Drift is a random walk over slices and a sine with a
/// period of 40 to 400 slices (temperature, clocks). A neighbour begins with probability
/// `burst_begin` per slice, goes on with 0.6 and slows a slice by an exponential level (mean 15 %,
/// drawn per burst) times 0.5 to 1.
struct Noise {
  std::string name;
  double jitter = 0;       // sd
  double walk = 0;         // sd of one step
  double sine = 0;         // amplitude
  double burst_begin = 0;  // probability
};

inline const Noise kQuiet{"quiet", 0.003, 0, 0, 0};
inline const Noise kDrifting{"drifting", 0.005, 0.003, 0.05, 0};
inline const Noise kBursty{"bursty", 0.012, 0.002, 0, 0.06};

/// A generator whose numbers are the same with every standard library.
class Dice {
 public:
  explicit Dice(std::uint64_t seed) : bits_(seed) {}
  double Uniform();  // in [0, 1)
  double Normal();   // Box and Muller, 1958
  double Exponential();

 private:
  std::mt19937_64 bits_;
};

/// One generation of ten rounds: the log ratios ln(baseline / arm) when the arm is exp(`log_ratio`)
/// times faster and every process (of both arms) has an effect of its own with sd `process_sd`.
class Machine {
 public:
  Machine(Noise noise, std::uint64_t seed);
  std::vector<double> Generation(double log_ratio, double process_sd);
  double Slice();  // the disturbance of the next slice

 private:
  Noise noise_;
  Dice dice_;
  double walk_ = 0;
  double phase_, period_;
  double slice_ = 0;
  double burst_ = 0;  // level of the burst under way, 0 for none
};

/// A campaign as `assay run` does it: 3 generations of 10 rounds, then more until 50 and 80 rounds;
/// it ends at the first of these looks whose interval has a relative half-width of at most
/// `target`.
struct Outcome {
  Comparison first;    // at 30 rounds
  Comparison stopped;  // where it ended
};
Outcome SimulateCampaign(const Noise& noise, double process_sd, double log_ratio, double target,
                         std::uint64_t seed);

/// What many campaigns showed.
struct Tally {
  double covered_first = 0, covered = 0;        // shares: interval holds the truth
  double found_first = 0;                       // share: interval excludes 1, ratio beyond 1 %
  double half_width_first = 0, half_width = 0;  // means, relative
  double rounds = 0;                            // mean
};
Tally Simulate(const Noise& noise, double process_sd, double log_ratio, double target, int trials);

}  // namespace assay::stats
