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
  const std::vector<Pace> ns = {{8e6}, {20e6}};
  const auto sizes = SliceSizes(ns);
  EXPECT_EQ(sizes[0].count, 7);
  EXPECT_EQ(sizes[1].count, 7);
  EXPECT_EQ(sizes[1].batch, 1);
}

TEST(SliceSizesTest, AreFiveSamplesAtLeast) {
  const std::vector<Pace> ns = {{3e9}};
  EXPECT_EQ(SliceSizes(ns)[0].count, 5);
}

TEST(SliceSizesTest, BatchInferencesBelowTenMicroseconds) {
  const std::vector<Pace> ns = {{40}};
  EXPECT_EQ(SliceSizes(ns)[0].batch, 250);
  EXPECT_EQ(SliceSizes(ns)[0].count, 5000);
}

TEST(SliceSizesTest, CutTheSliceOfAnArmThatIsFarSlowerThanTheFastest) {
  const std::vector<Pace> ns = {{10e3}, {100e6}};
  EXPECT_EQ(SliceSizes(ns)[0].count, 5000);
  EXPECT_EQ(SliceSizes(ns)[1].count, 5);
}

TEST(SliceSizesTest, HoldMultiplesOfTheInferencesThatRunAtATime) {
  const std::vector<Pace> paces = {{8e6}, {5e6, 4}, {4e3, 4}};
  const auto sizes = SliceSizes(std::span(paces).first(2));
  EXPECT_EQ(sizes[1].batch, 4);
  EXPECT_EQ(sizes[1].count, 5);  // 20 inferences
  EXPECT_EQ(sizes[0].count, 20) << "as many for all";
  EXPECT_EQ(SliceSizes(paces)[2].batch, 4) << "16 us";
  EXPECT_EQ(WarmUpSize({1e3, 4}).batch, 12);
  EXPECT_EQ(WarmUpSize({2e9, 4}).batch, 4);
}

TEST(WarmUpSizeTest, IsOneInferenceWhenThoseAreLong) {
  EXPECT_EQ(WarmUpSize({2e9}).count, 1);
  EXPECT_EQ(WarmUpSize({20e6}).count, 5);
}

TEST(LooksTest, AreTheFixedOnes) {
  EXPECT_EQ(FirstLook(128, 7), 20);
  EXPECT_EQ(FirstLook(60, 5), 12);
  EXPECT_EQ(FirstLook(100'000, 5), 80);
  EXPECT_EQ(LookAfter(21, 80), 30);
  EXPECT_EQ(LookAfter(80, 80), std::nullopt);
  EXPECT_EQ(LookAfter(12, 30), 20);
  EXPECT_EQ(LookAfter(30, 30), std::nullopt);
}

TEST(FirstGroupsTest, ShareOneArm) {
  using Groups = std::vector<std::vector<std::size_t>>;
  EXPECT_EQ(Heats({0, 1, 2, 3}, 1, 2), (Groups{{1, 0, 2}, {1, 3}}));
  EXPECT_EQ(Heats({0, 1, 2}, 1, 2), (Groups{{0, 1, 2}}));
  EXPECT_EQ(Heats({0, 1, 2, 3}, 1, 0), (Groups{{0, 1, 2, 3}}));
}

TEST(HopelessTest, AreTheLiveArmsThatAreTimesSlowerThanTheLeader) {
  std::vector<Standing> standings(5);
  standings[0].spare = false;  // the baseline, five times slower
  for (const auto& [arm, ratio] :
       {std::pair(1, 5.0), std::pair(2, 1.6), std::pair(3, 2.0), std::pair(4, 1.0)}) {
    standings[static_cast<std::size_t>(arm)].comparison = Around(ratio, 0.1);
    standings[static_cast<std::size_t>(arm)].fastest_ns = 1e6 / ratio;
  }
  standings[4].live = false;
  EXPECT_EQ(Hopeless(standings, 3), (std::vector<bool>{false, false, true, false, false}));
  standings[2].fastest_ns = 5e5;  // it was in time once: a busy machine made it slow
  EXPECT_EQ(Hopeless(standings, 3), (std::vector<bool>(5, false)));
  standings[2].fastest_ns = 1e6;
  standings[1].competes = false;  // its outputs are wrong: it does not lead
  EXPECT_EQ(Hopeless(standings, 3), (std::vector<bool>(5, false)));
}

TEST(HopelessTest, ArmsAreHeldToTheLeaderOfTheirContest) {
  std::vector<Standing> standings(4);
  standings[0].spare = false;
  for (const auto& [arm, ratio] : {std::pair(1, 8.0), std::pair(2, 2.0), std::pair(3, 0.5)}) {
    standings[static_cast<std::size_t>(arm)].comparison = Around(ratio, 0.1);
    standings[static_cast<std::size_t>(arm)].fastest_ns = 1e6 / ratio;
  }
  EXPECT_EQ(Hopeless(standings, 3), (std::vector<bool>{false, false, true, true}));
  standings[2].contest = standings[3].contest = 1;
  EXPECT_EQ(Hopeless(standings, 3), (std::vector<bool>{false, false, false, true}));
}

const Standing kBaseline = {.spare = false};

std::vector<Wish> Wishes(const std::vector<Standing>& standings, Goal goal) {
  return WishesAt(standings, 0.01, goal);
}

TEST(WishesTest, AreNothingWhenEveryIntervalIsNarrow) {
  const std::vector<Standing> standings = {kBaseline, {.comparison = Around(1.8, 0.01)}};
  EXPECT_EQ(Wishes(standings, Goal::kEverywhere), (std::vector{Wish::kNothing, Wish::kNothing}));
}

TEST(WishesTest, AskForMoreEverywhereWhereAnIntervalIsWideOrMissing) {
  const std::vector<Standing> standings = {
      kBaseline, {.comparison = Around(1.8, 0.05)}, {.comparison = stats::Comparison{}}};
  EXPECT_EQ(Wishes(standings, Goal::kEverywhere),
            (std::vector{Wish::kNothing, Wish::kMore, Wish::kMore}));
}

TEST(WishesTest, LetAnArmBeWhoseProcessesDifferAndWhichCannotWin) {
  const std::vector<Standing> standings = {
      {.spare = false, .lead = Around(0.6, 0.01)},
      {.comparison = Around(1.8, 0.01)},
      {.comparison = Around(0.9, 0.2, true), .lead = Around(0.5, 0.2, true)}};
  EXPECT_EQ(Wishes(standings, Goal::kEverywhere)[2], Wish::kLetBe);
}

TEST(WishesTest, AskForMoreOfTheLeaderOfAContestThatIsOpenOnly) {
  std::vector<Standing> standings = {
      kBaseline,
      {.comparison = Around(8, 0.001)},
      {.comparison = Around(4, 0.001), .lead = Around(0.5, 0.001)},
      {.contest = 1, .comparison = Around(2, 0.001)},
      {.contest = 1, .comparison = Around(1.8, 0.2), .lead = Around(0.9, 0.12)}};
  standings[0].lead = Around(0.125, 0.001);
  EXPECT_EQ(Wishes(standings, Goal::kDeciding),
            (std::vector{Wish::kNothing, Wish::kLetBe, Wish::kLetBe, Wish::kMore, Wish::kMore}));
}

TEST(WishesTest, LetASlowerArmBeOnceThatIsCertainHoweverWideItsInterval) {
  const std::vector<Standing> standings = {
      {.spare = false, .lead = Around(0.6, 0.02)},
      {.comparison = Around(1.8, 0.05)},
      {.comparison = Around(1.7, 0.05), .lead = Around(0.94, 0.02)}};
  EXPECT_EQ(Wishes(standings, Goal::kDeciding),
            (std::vector{Wish::kNothing, Wish::kLetBe, Wish::kLetBe}));
}

TEST(WishesTest, AskForMoreOfTheLeaderAndOfWhoeverMayBeFaster) {
  const std::vector<Standing> standings = {
      {.spare = false, .lead = Around(0.6, 0.02)},
      {.comparison = Around(1.8, 0.05)},
      {.comparison = Around(1.7, 0.3, true), .lead = Around(0.96, 0.1, true)},
      {.comparison = Around(1.2, 0.05), .lead = Around(0.7, 0.05)}};
  EXPECT_EQ(Wishes(standings, Goal::kDeciding),
            (std::vector{Wish::kNothing, Wish::kMore, Wish::kMore, Wish::kLetBe}));
}

TEST(WishesTest, AreNothingForEqualsKnownAsPreciselyAsAsked) {
  const std::vector<Standing> standings = {
      {.spare = false, .lead = Around(0.6, 0.02)},
      {.comparison = Around(1.8, 0.01)},
      {.comparison = Around(1.79, 0.01), .lead = Around(0.998, 0.005)}};
  EXPECT_EQ(Wishes(standings, Goal::kDeciding)[2], Wish::kLetBe);
}

TEST(WishesTest, LetEqualsBeThatNoRoundsLeftCouldTellApart) {
  const auto wish = [](const stats::Comparison& lead) {
    return Wishes({{.spare = false, .lead = Around(0.6, 0.02)},
                   {.comparison = Around(1.8, 0.05)},
                   {.comparison = Around(1.79, 0.05), .lead = lead}},
                  Goal::kDeciding)[2];
  };
  // 21 of 80 rounds: what is left halves an interval, or quarters one of processes that differ.
  EXPECT_EQ(wish(Around(0.985, 0.04)), Wish::kLetBe);
  EXPECT_EQ(wish(Around(0.975, 0.04)), Wish::kMore);
  EXPECT_EQ(wish(Around(0.985, 0.08, true)), Wish::kLetBe);
  EXPECT_EQ(wish(Around(0.975, 0.08, true)), Wish::kMore);
}

TEST(WishesTest, AnArmAsideNeverLeadsAndIsOpenUntilItIsKnownWhichWayItDiffers) {
  const auto wishes = [](const stats::Comparison& lead) {
    return Wishes({{.spare = false, .lead = Around(0.6, 0.02)},
                   {.comparison = Around(1.8, 0.05)},
                   {.aside = true, .comparison = Around(2.6, 0.05), .lead = lead}},
                  Goal::kDeciding);
  };
  EXPECT_EQ(wishes(Around(1.4, 0.05)), (std::vector{Wish::kNothing, Wish::kLetBe, Wish::kLetBe}));
  EXPECT_EQ(wishes(Around(0.8, 0.05)), (std::vector{Wish::kNothing, Wish::kLetBe, Wish::kLetBe}));
  EXPECT_EQ(wishes(Around(1.04, 0.05)), (std::vector{Wish::kNothing, Wish::kMore, Wish::kMore}));
  const std::vector<Standing> alone = {{.spare = false},
                                       {.aside = true, .comparison = Around(2.6, 0.05)}};
  EXPECT_EQ(LeaderOf(alone, 0), 0u);
}

TEST(WishesTest, DoNotWaitForAnArmThatHasFailed) {
  const std::vector<Standing> standings = {
      kBaseline, {.competes = false, .live = false, .comparison = Around(3, 1)}};
  EXPECT_EQ(Wishes(standings, Goal::kEverywhere)[1], Wish::kNothing);
}

TEST(WishesTest, LookAtTheMedianOfAnArmThatIsAlone) {
  EXPECT_EQ(Wishes({{.spare = false, .own_half_width = 0.02}}, Goal::kDeciding)[0], Wish::kMore);
  EXPECT_EQ(Wishes({{.spare = false, .own_half_width = 0.01}}, Goal::kDeciding)[0], Wish::kNothing);
}

}  // namespace
}  // namespace assay::campaign
