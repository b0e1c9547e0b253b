#include "noise.h"

#include <cmath>
#include <numbers>

namespace assay::stats {
namespace {

constexpr int kRoundsPerGeneration = 10;
constexpr double kBurstGoesOn = 0.6;
constexpr double kBurstLevel = 0.15;
constexpr double kCounts = 0.01;  // a difference counts beyond 1 %

bool Covers(const Comparison& comparison, double truth) {
  return comparison.interval && comparison.interval->low <= truth &&
         truth <= comparison.interval->high;
}

bool Found(const Comparison& comparison) {
  return comparison.interval && comparison.interval->low > 1 && comparison.ratio > 1 + kCounts;
}

double RelativeHalfWidth(const Comparison& comparison) {
  return comparison.interval ? comparison.interval->HalfWidth() / comparison.ratio : 1;
}

}  // namespace

double Dice::Uniform() { return static_cast<double>(bits_() >> 11) * 0x1p-53; }

double Dice::Normal() {
  const double radius = std::sqrt(-2 * std::log(1 - Uniform()));
  return radius * std::cos(2 * std::numbers::pi * Uniform());
}

double Dice::Exponential() { return -std::log(1 - Uniform()); }

Machine::Machine(Noise noise, std::uint64_t seed) : noise_(std::move(noise)), dice_(seed) {
  phase_ = 2 * std::numbers::pi * dice_.Uniform();
  period_ = 40 + 360 * dice_.Uniform();
}

double Machine::Slice() {
  if (burst_ > 0) {
    burst_ = dice_.Uniform() < kBurstGoesOn ? burst_ : 0;
  } else if (dice_.Uniform() < noise_.burst_begin) {
    burst_ = kBurstLevel * dice_.Exponential();
  }
  slice_ += 1;
  walk_ += noise_.walk * dice_.Normal();
  return noise_.jitter * dice_.Normal() + walk_ +
         noise_.sine * std::sin(2 * std::numbers::pi * slice_ / period_ + phase_) +
         burst_ * (0.5 + 0.5 * dice_.Uniform());
}

std::vector<double> Machine::Generation(double log_ratio, double process_sd) {
  const double baseline_process = process_sd * dice_.Normal();
  const double arm_process = process_sd * dice_.Normal();
  std::vector<double> log_ratios;
  for (int round = 0; round < kRoundsPerGeneration; ++round) {
    const bool baseline_first = dice_.Uniform() < 0.5;
    const double first = Slice();
    const double second = Slice();
    const double disturbance = baseline_first ? first - second : second - first;
    log_ratios.push_back(log_ratio + baseline_process - arm_process + disturbance);
  }
  return log_ratios;
}

Outcome SimulateCampaign(const Noise& noise, double process_sd, double log_ratio, double target,
                         std::uint64_t seed) {
  Machine machine(noise, seed);
  std::vector<std::vector<double>> generations;
  Outcome outcome;
  for (const std::size_t look : {3, 5, 8}) {
    while (generations.size() < look) {
      generations.push_back(machine.Generation(log_ratio, process_sd));
    }
    outcome.stopped = Compare(generations);
    if (look == 3) {
      outcome.first = outcome.stopped;
    }
    if (RelativeHalfWidth(outcome.stopped) <= target) {
      break;
    }
  }
  return outcome;
}

Tally Simulate(const Noise& noise, double process_sd, double log_ratio, double target, int trials) {
  Tally tally;
  for (int trial = 0; trial < trials; ++trial) {
    const Outcome outcome = SimulateCampaign(noise, process_sd, log_ratio, target,
                                             1000003u * static_cast<std::uint64_t>(trial) + 17);
    tally.covered_first += Covers(outcome.first, std::exp(log_ratio));
    tally.covered += Covers(outcome.stopped, std::exp(log_ratio));
    tally.found_first += Found(outcome.first);
    tally.half_width_first += RelativeHalfWidth(outcome.first);
    tally.half_width += RelativeHalfWidth(outcome.stopped);
    tally.rounds += outcome.stopped.rounds;
  }
  for (double* sum : {&tally.covered_first, &tally.covered, &tally.found_first,
                      &tally.half_width_first, &tally.half_width, &tally.rounds}) {
    *sum /= trials;
  }
  return tally;
}

}  // namespace assay::stats
