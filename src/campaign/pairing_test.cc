#include "campaign/pairing.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <initializer_list>

namespace assay::campaign {
namespace {

using ::testing::DoubleNear;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

using Rounds = std::vector<std::vector<std::optional<double>>>;

constexpr double kTiny = 1e-12;

Measurements Seen(std::vector<SessionLog> sessions) {
  Measurements seen;
  seen.sessions = std::move(sessions);
  return seen;
}

TEST(PairingTest, TakesTheRoundsThatHadBothOfEachSession) {
  const Measurements seen =
      Seen({{.generation = 0, .arms = {0, 1}, .rounds = {{2, 1}, {4, 1}}},
            {.generation = 1, .arms = {1, 0}, .rounds = {{1, std::nullopt}, {1, 8}}}});
  EXPECT_THAT(LogRatios(seen, 0, 1),
              ElementsAre(ElementsAre(std::log(2), std::log(4)), ElementsAre(std::log(8))));
}

TEST(PairingTest, GoesThroughTheArmThatTwoGroupsShare) {
  // In the second group the machine is twice as slow: it cancels.
  const Measurements seen =
      Seen({{.generation = 0, .arms = {0, 1}, .rounds = {{10, 5}, {12, 6}}},
            {.generation = 0, .arms = {0, 2}, .rounds = {{20, 5}, {24, 6}, {20, 5}}}});
  const auto ratios = LogRatios(seen, 1, 2);
  ASSERT_EQ(ratios.size(), 1u);
  EXPECT_THAT(ratios[0],
              ElementsAre(DoubleNear(std::log(2), kTiny), DoubleNear(std::log(2), kTiny)));
  EXPECT_THAT(LogRatios(seen, 2, 1)[0],
              ElementsAre(DoubleNear(-std::log(2), kTiny), DoubleNear(-std::log(2), kTiny)));
}

TEST(PairingTest, GoesThroughNothingWhereTheArmsWereTogether) {
  const Measurements seen = Seen({{.generation = 0, .arms = {0, 1}, .rounds = {{1, 1}}},
                                  {.generation = 0, .arms = {0, 2}, .rounds = {{1, 1}}},
                                  {.generation = 1, .arms = {0, 1, 2}, .rounds = {{1, 4, 2}}}});
  EXPECT_THAT(LogRatios(seen, 1, 2), ElementsAre(ElementsAre(0.0), ElementsAre(std::log(2))));
}

TEST(PairingTest, FindsNothingForGroupsThatShareNoArm) {
  const Measurements seen = Seen({{.generation = 0, .arms = {0}, .rounds = {{1}}},
                                  {.generation = 0, .arms = {1}, .rounds = {{1}}}});
  EXPECT_THAT(LogRatios(seen, 0, 1), IsEmpty());
}

TEST(PairingTest, JoinsSessionsOfAGenerationThatWasInterrupted) {
  const Measurements seen = Seen({{.generation = 0, .arms = {0, 1}, .rounds = {{1, 2}}},
                                  {.generation = 0, .arms = {0, 1}, .rounds = {{1, 2}}},
                                  {.generation = 0, .arms = {0, 2}, .rounds = {{1, 1}, {1, 1}}}});
  const auto ratios = LogRatios(seen, 1, 2);
  ASSERT_EQ(ratios.size(), 1u);
  EXPECT_EQ(ratios[0].size(), 2u);
}

}  // namespace
}  // namespace assay::campaign
