// The statistics against a known truth: coverage of the reported intervals, and what they find.
#include <gtest/gtest.h>

#include <cmath>
#include <ostream>

#include "noise.h"

namespace assay::stats {
namespace {

constexpr int kTrials = 4000;  // a share of 94 % is known to within 0.8 % (two standard errors)
constexpr double kTarget = 0.01;

struct Case {
  Noise noise;
  double process_sd;
};

void PrintTo(const Case& c, std::ostream* out) { *out << c.noise.name << ", " << c.process_sd; }

std::vector<Case> Cases() {
  std::vector<Case> cases;
  for (const Noise& noise : {kQuiet, kDrifting, kBursty}) {
    for (const double process_sd : {0.0, 0.005, 0.01, 0.02}) {
      cases.push_back({noise, process_sd});
    }
  }
  return cases;
}

std::string NameOf(const testing::TestParamInfo<Case>& info) {
  return info.param.noise.name + "WithProcessEffectOf" +
         std::to_string(std::lround(info.param.process_sd * 1000)) + "PerMille";
}

class CoverageTest : public testing::TestWithParam<Case> {};

TEST_P(CoverageTest, NominalNinetyFivePercentHoldsTheTruthInNinetyThree) {
  const auto& [noise, process_sd] = GetParam();
  const Tally tally = Simulate(noise, process_sd, std::log(1.1), kTarget, kTrials);
  EXPECT_GE(tally.covered_first, 0.93) << "at 30 rounds";
  EXPECT_GE(tally.covered, 0.93) << "stopped at the first look that is precise enough";
}

INSTANTIATE_TEST_SUITE_P(On, CoverageTest, testing::ValuesIn(Cases()), NameOf);

TEST(PowerTest, ATrueThreePercentIsFoundUnderBurstsInThirtyRounds) {
  const Tally tally = Simulate(kBursty, 0, std::log(1.03), kTarget, kTrials);
  EXPECT_GE(tally.found_first, 0.95);
}

TEST(PowerTest, AQuietMachineIsPreciseAtTheFirstLook) {
  const Tally tally = Simulate(kQuiet, 0, 0, kTarget, kTrials);
  EXPECT_LT(tally.half_width_first, 0.0065);
  EXPECT_LT(tally.rounds, 31);
}

TEST(NoiseTest, BurstsAreAsWideAsOnTheMachineOfTheMethodsTable) {
  // docs/measuring.md: paired, interleaved, 30 rounds: a 95 % rank interval is about 2 % wide.
  double width = 0;
  for (std::uint64_t seed = 1; seed <= 300; ++seed) {
    Machine machine(kBursty, seed);
    std::vector<double> rounds;
    for (int generation = 0; generation < 3; ++generation) {
      const auto more = machine.Generation(0, 0);
      rounds.insert(rounds.end(), more.begin(), more.end());
    }
    width += 2 * MedianInterval(rounds, 0.95)->HalfWidth() / 300;
  }
  EXPECT_GT(width, 0.017);
  EXPECT_LT(width, 0.024);
}

}  // namespace
}  // namespace assay::stats
