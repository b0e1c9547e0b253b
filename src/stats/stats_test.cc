#include "stats/stats.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

namespace assay::stats {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(MedianTest, IsTheMiddleOfAnOddAndTheMeanOfTheMiddleTwoOfAnEvenCount) {
  EXPECT_EQ(Median(std::vector{5.0, 1.0, 3.0}), 3);
  EXPECT_EQ(Median(std::vector{4.0, 1.0, 3.0, 2.0}), 2.5);
  EXPECT_EQ(Median(std::vector{7.0}), 7);
}

TEST(MedianTest, OfNothingIsNaN) {
  EXPECT_TRUE(std::isnan(Median({})));
  EXPECT_TRUE(std::isnan(Mean({})));
  EXPECT_TRUE(std::isnan(StandardDeviation(std::vector{1.0})));
}

TEST(MedianTest, LeavesTheOrderOfItsInputAlone) {
  const std::vector values{3.0, 1.0, 2.0};
  Median(values);
  EXPECT_THAT(values, ElementsAre(3, 1, 2));
}

TEST(StandardDeviationTest, OfMicrosecondsIsNotRoundedToWholeUnits) {
  // 1.58 us, which an integer implementation reports as 63 us (llama-bench).
  EXPECT_NEAR(StandardDeviation(std::vector{61001.0, 61002.0, 61003.0, 61004.0, 61005.0}), 1.5811,
              1e-4);
}

TEST(StandardDeviationTest, KeepsSmallSpreadOnALargeOffset) {
  EXPECT_NEAR(StandardDeviation(std::vector{1e15 + 1, 1e15 + 2, 1e15 + 3}), 1, 1e-12);
}

TEST(OutliersTest, FindsWhatLiesBeyondTenSigmaOnEitherSide) {
  std::vector values{10.0, 10.1, 9.9, 10.2, 9.8, 10.05, 9.95, 50.0, 0.1};
  EXPECT_THAT(Outliers(values), ElementsAre(7, 8));
}

TEST(OutliersTest, KeepsWhatLiesJustWithinTenSigma) {
  // Median 0, median absolute deviation 1: the limit is 14.826.
  EXPECT_THAT(Outliers(std::vector{-1.0, -1.0, 0.0, 1.0, 1.0, 14.8}), IsEmpty());
  EXPECT_THAT(Outliers(std::vector{-1.0, -1.0, -1.0, 0.0, 1.0, 1.0, 14.9}), ElementsAre(6));
}

TEST(OutliersTest, FindsOneAmongValuesThatAreMostlyEqual) {
  std::vector<double> values(20, 1.0);
  EXPECT_THAT(Outliers(values), IsEmpty());
  values[3] = 2;
  EXPECT_THAT(Outliers(values), ElementsAre(3));
}

TEST(SteadyTest, IsReachedWhenTheLastThreeSlicesLieWithinTwoPercent) {
  EXPECT_FALSE(IsSteady(std::vector{1.0, 1.0}));
  EXPECT_FALSE(IsSteady(std::vector{9.0, 1.0, 1.0, 1.021}));
  EXPECT_TRUE(IsSteady(std::vector{9.0, 1.0, 1.019, 1.01}));
}

TEST(SteadyTest, IsNotNeededForWarmthWhenNothingGetsFaster) {
  EXPECT_FALSE(NoLongerFalls(std::vector{1.0, 1.2, 1.0}));
  EXPECT_TRUE(NoLongerFalls(std::vector{1.0, 1.2, 0.99, 1.2}));
  EXPECT_FALSE(NoLongerFalls(std::vector{1.0, 1.2, 0.97, 1.2}));
}

}  // namespace
}  // namespace assay::stats
