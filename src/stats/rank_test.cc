#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <numeric>

#include "stats/stats.h"

namespace assay::stats {
namespace {

using testing::ElementsAre;

std::vector<double> OneTo(int n) {
  std::vector<double> values(static_cast<std::size_t>(n));
  std::iota(values.rbegin(), values.rend(), 1.0);
  return values;
}

TEST(PercentileTest, NeedsWhatLoadGenNeeds) {
  EXPECT_EQ(SamplesNeeded(0.90), 44);
  EXPECT_EQ(SamplesNeeded(0.95), 90);
  EXPECT_EQ(SamplesNeeded(0.99), 459);
  EXPECT_EQ(SamplesNeeded(0.90, 1), 64);
  EXPECT_EQ(SamplesNeeded(0.95, 1), 130);
  EXPECT_EQ(SamplesNeeded(0.99, 1), 662);
}

TEST(PercentileTest, IsGivenOnlyFromThatManySamplesOn) {
  EXPECT_EQ(SupportedPercentile(OneTo(43), 0.90), std::nullopt);
  EXPECT_EQ(SupportedPercentile(OneTo(44), 0.90), 40);
  EXPECT_EQ(SupportedPercentile(OneTo(63), 0.90, 1), std::nullopt);
  EXPECT_EQ(SupportedPercentile(OneTo(64), 0.90, 1), 58);
  EXPECT_EQ(SupportedPercentile(OneTo(1000), 0.99), 990);
  EXPECT_EQ(SupportedPercentile({}, 0.90), std::nullopt);
}

TEST(MedianRankTest, GivesTheOrderStatisticsOfTheFiveLooks) {
  EXPECT_EQ(MedianRank(12, 0.99), 2);
  EXPECT_EQ(MedianRank(20, 0.99), 4);
  EXPECT_EQ(MedianRank(30, 0.99), 8);
  EXPECT_EQ(MedianRank(50, 0.99), 16);
  EXPECT_EQ(MedianRank(80, 0.99), 29);
}

TEST(MedianRankTest, IsTheGreatestRankThatReachesTheConfidence) {
  // 2 P[Bin(25, 1/2) <= 7] = 0.0433, 2 P[Bin(100, 1/2) <= 39] = 0.0352.
  EXPECT_EQ(MedianRank(5, 0.95), 0);
  EXPECT_EQ(MedianRank(6, 0.95), 1);
  EXPECT_EQ(MedianRank(10, 0.95), 2);
  EXPECT_EQ(MedianRank(25, 0.95), 8);
  EXPECT_EQ(MedianRank(100, 0.95), 40);
}

TEST(MedianIntervalTest, ReachesFromTheRankBelowToTheRankAbove) {
  const auto interval = MedianInterval(OneTo(30), 0.99);
  ASSERT_TRUE(interval);
  EXPECT_EQ(interval->low, 8);
  EXPECT_EQ(interval->high, 23);
  EXPECT_EQ(interval->HalfWidth(), 7.5);
}

TEST(MedianIntervalTest, IsNotGivenFromTooFewValues) {
  EXPECT_FALSE(MedianInterval(OneTo(7), 0.99));
  EXPECT_TRUE(MedianInterval(OneTo(8), 0.99));
  EXPECT_FALSE(MedianInterval({}, 0.95));
}

}  // namespace
}  // namespace assay::stats
