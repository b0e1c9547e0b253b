#include "campaign/schedule.h"

#include <gtest/gtest.h>

namespace assay::campaign {
namespace {

stats::Comparison Around(double ratio, double half_width, bool process_limited = false) {
  return {.ratio = ratio,
          .interval = stats::Interval{ratio - half_width, ratio + half_width},
          .process_spread = 0,
          .process_limited = process_limited,
          .rounds = 21};
}

TEST(SliceSizesTest, HoldFiftyMillisecondsOfTheFastestAndTheSameNumberForAll) {
  const std::vector<double> ns = {8e6, 20e6};
  const auto sizes = SliceSizes(ns);
  EXPECT_EQ(sizes[0].count, 7);
  EXPECT_EQ(sizes[1].count, 7);
  EXPECT_EQ(sizes[1].batch, 1);
}

TEST(SliceSizesTest, AreFiveSamplesAtLeast) {
  const std::vector<double> ns = {3e9};
  EXPECT_EQ(SliceSizes(ns)[0].count, 5);
}

TEST(SliceSizesTest, BatchInferencesBelowTenMicroseconds) {
  const std::vector<double> ns = {40};
  EXPECT_EQ(SliceSizes(ns)[0].batch, 250);
  EXPECT_EQ(SliceSizes(ns)[0].count, 5000);
}

TEST(SliceSizesTest, CutTheSliceOfAnArmThatIsFarSlowerThanTheFastest) {
  const std::vector<double> ns = {10e3, 100e6};
  EXPECT_EQ(SliceSizes(ns)[0].count, 5000);
  EXPECT_EQ(SliceSizes(ns)[1].count, 5);
}

TEST(WarmUpSizeTest, IsOneInferenceWhenThoseAreLong) {
  EXPECT_EQ(WarmUpSize(2e9).count, 1);
  EXPECT_EQ(WarmUpSize(20e6).count, 5);
}

TEST(LooksTest, AreTheFixedOnes) {
  EXPECT_EQ(FirstLook(128, 7), 20);
  EXPECT_EQ(FirstLook(60, 5), 12);
  EXPECT_EQ(FirstLook(100'000, 5), 80);
  EXPECT_EQ(LookAfter(21), 30);
  EXPECT_EQ(LookAfter(80), std::nullopt);
}

TEST(WishesTest, AreNothingWhenEveryIntervalIsNarrow) {
  const std::vector<Standing> standings = {{}, {.comparison = Around(1.8, 0.01)}};
  EXPECT_EQ(WishesAt(standings, 0.01), (std::vector{Wish::kNothing, Wish::kNothing}));
}

TEST(WishesTest, AskForMoreWhereAnIntervalIsWideOrMissing) {
  const std::vector<Standing> standings = {
      {}, {.comparison = Around(1.8, 0.05)}, {.comparison = stats::Comparison{}}};
  EXPECT_EQ(WishesAt(standings, 0.01), (std::vector{Wish::kNothing, Wish::kMore, Wish::kMore}));
}

TEST(WishesTest, LetAnArmBeWhoseProcessesDifferAndWhichCannotWin) {
  const std::vector<Standing> standings = {
      {}, {.comparison = Around(1.8, 0.01)}, {.comparison = Around(0.9, 0.2, true)}};
  EXPECT_EQ(WishesAt(standings, 0.01)[2], Wish::kLetBe);
}

TEST(WishesTest, AskForMoreWhereAnArmWhoseProcessesDifferMayBeTheFastest) {
  const std::vector<Standing> standings = {
      {}, {.comparison = Around(1.8, 0.01)}, {.comparison = Around(1.6, 0.3, true)}};
  EXPECT_EQ(WishesAt(standings, 0.01)[2], Wish::kMore);
}

TEST(WishesTest, LetTheLeaderBeOnceNobodyOverlapsIt) {
  const std::vector<Standing> standings = {
      {}, {.comparison = Around(1.8, 0.3, true)}, {.comparison = Around(1.2, 0.01)}};
  EXPECT_EQ(WishesAt(standings, 0.01)[1], Wish::kLetBe);
}

TEST(WishesTest, DoNotWaitForAnArmThatHasFailed) {
  const std::vector<Standing> standings = {
      {}, {.competes = false, .live = false, .comparison = Around(3, 1)}};
  EXPECT_EQ(WishesAt(standings, 0.01)[1], Wish::kNothing);
}

TEST(WishesTest, LookAtTheMedianOfAnArmThatIsAlone) {
  EXPECT_EQ(WishesAt(std::vector<Standing>{{.own_half_width = 0.02}}, 0.01)[0], Wish::kMore);
  EXPECT_EQ(WishesAt(std::vector<Standing>{{.own_half_width = 0.01}}, 0.01)[0], Wish::kNothing);
}

}  // namespace
}  // namespace assay::campaign
