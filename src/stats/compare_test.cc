#include <gtest/gtest.h>

#include <cmath>

#include "stats/stats.h"

namespace assay::stats {
namespace {

/// n values about `center`, evenly from -spread to +spread.
std::vector<double> Rounds(int n, double center, double spread) {
  std::vector<double> values;
  for (int i = 0; i < n; ++i) {
    values.push_back(center + spread * (2.0 * i / (n - 1) - 1));
  }
  return values;
}

TEST(CompareTest, OfNothingHasNoInterval) {
  const Comparison none = Compare({});
  EXPECT_EQ(none.ratio, 1);
  EXPECT_FALSE(none.interval);
  EXPECT_EQ(none.rounds, 0);
}

TEST(CompareTest, FewRoundsGiveARatioWithoutAnInterval) {
  const Comparison few = Compare({{std::log(2.0), std::log(2.0)}});
  EXPECT_DOUBLE_EQ(few.ratio, 2);
  EXPECT_FALSE(few.interval);
  EXPECT_EQ(few.rounds, 2);
}

TEST(CompareTest, GenerationsWithoutRoundsAreLeftOut) {
  const auto rounds = Rounds(10, 0.5, 0.01);
  const Comparison gaps = Compare({rounds, {}, rounds, rounds, {}});
  EXPECT_EQ(gaps.rounds, 30);
  EXPECT_NEAR(gaps.ratio, std::exp(0.5), 1e-3);
}

TEST(CompareTest, ProcessesThatAgreeAreNotCalledLimiting) {
  const Comparison same =
      Compare({Rounds(10, 0.5, 0.02), Rounds(10, 0.501, 0.02), Rounds(10, 0.499, 0.02)});
  EXPECT_FALSE(same.process_limited);
  ASSERT_TRUE(same.interval);
  EXPECT_LT(same.interval->HalfWidth(), 0.03);
}

TEST(CompareTest, ProcessesThatDifferWidenTheIntervalOverAllOfThem) {
  const Comparison apart =
      Compare({Rounds(10, 0.45, 0.01), Rounds(10, 0.50, 0.01), Rounds(10, 0.55, 0.01)});
  EXPECT_TRUE(apart.process_limited);
  EXPECT_NEAR(apart.process_spread, 0.05, 1e-9);
  EXPECT_NEAR(apart.ratio, std::exp(0.5), 1e-9);
  ASSERT_TRUE(apart.interval);
  EXPECT_LT(apart.interval->low, std::exp(0.45));
  EXPECT_GT(apart.interval->high, std::exp(0.55));
}

Comparison Around(double ratio, double reach) {
  Comparison comparison;
  comparison.ratio = ratio;
  comparison.interval = Interval{ratio / (1 + reach), ratio * (1 + reach)};
  return comparison;
}

TEST(SeparatedTest, WantsAnIntervalWithoutOneAndADifferenceBeyondOnePercent) {
  EXPECT_TRUE(Separated(Around(1.05, 0.02)));
  EXPECT_TRUE(Separated(Around(0.95, 0.02)));
  EXPECT_FALSE(Separated(Around(1.05, 0.06)));
  EXPECT_FALSE(Separated(Around(1.009, 0.001)));
  EXPECT_FALSE(Separated(Comparison{}));
}

TEST(SlowerThanLeaderTest, WantsMoreOfAnIntervalTheMoreArmsAreInQuestion) {
  const Comparison close = Around(0.953, 0.03);  // alone it would do: 1.51 x 3 % is below 4.7 %
  EXPECT_EQ(SlowerThanLeader(std::vector{close}), std::vector{true});
  EXPECT_EQ(SlowerThanLeader(std::vector{close, close}), (std::vector{false, false}));
}

TEST(SlowerThanLeaderTest, ForgetsArmsThatAreOutOfTheQuestion) {
  const std::vector<Comparison> arms = {Around(0.5, 0.03), Around(0.953, 0.03), Around(0.7, 0.03)};
  EXPECT_EQ(SlowerThanLeader(arms), (std::vector{true, true, true}));
}

TEST(SlowerThanLeaderTest, NeverClaimsLessThanOnePercentNorWithoutAnInterval) {
  EXPECT_EQ(SlowerThanLeader(std::vector{Around(0.995, 0.001)}), std::vector{false});
  EXPECT_EQ(SlowerThanLeader(std::vector{Comparison{}}), std::vector{false});
  EXPECT_TRUE(SlowerThanLeader({}).empty());
}

}  // namespace
}  // namespace assay::stats
