// Whole campaigns against a known truth; campaign_table_test.cc is the long form.
#include <gtest/gtest.h>

#include "campaign_simulation.h"

namespace assay::campaign {
namespace {

constexpr int kTrials = 150;  // five intervals each

TEST(SimulatedCampaignTest, IntervalsHoldTheTruthAlthoughMeasuringStopsWhenAllIsDecided) {
  for (const double process_sd : {0.0, 0.01}) {
    const CampaignTally tally = SimulateCampaigns(kSixArms, stats::kBursty, process_sd, kTrials);
    EXPECT_GE(tally.covered, 0.93) << process_sd;
  }
}

TEST(SimulatedCampaignTest, TheFastestIsRecommendedOrNotSeparated) {
  const CampaignTally tally = SimulateCampaigns(kSixArms, stats::kDrifting, 0.02, kTrials);
  EXPECT_GE(tally.best_found, 0.95);
}

TEST(SimulatedCampaignTest, EqualsWhoseProcessesDifferAreSeldomToldApart) {
  const CampaignTally tally = SimulateCampaigns(kThreeEquals, stats::kQuiet, 0.01, 2 * kTrials);
  EXPECT_LE(tally.false_claims, 0.06);
}

TEST(SimulatedCampaignTest, ArmsOfDifferentGroupsAreComparedAsHonestly) {
  for (const Field& field : {kHeats, kGroups}) {
    const CampaignTally tally = SimulateCampaigns(field, stats::kBursty, 0.01, kTrials);
    EXPECT_GE(tally.covered, 0.93);
    EXPECT_GE(tally.best_found, 0.95);
    EXPECT_LE(tally.false_claims, 0.08);
  }
}

}  // namespace
}  // namespace assay::campaign
