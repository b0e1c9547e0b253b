// The second table of docs/measuring.md: what whole campaigns with all options at their defaults
// show; printed, and held to its promises.
#include <gtest/gtest.h>

#include <cstdio>
#include <utility>

#include "campaign_simulation.h"

namespace assay::campaign {
namespace {

constexpr int kTrials = 1000;  // a share of 5 % is known to within 1.4 % (two standard errors)

TEST(CampaignTableTest, IntervalsCoverAndEqualsAreNotToldApart) {
  std::printf(
      "| arms | noise | process sd | covers | worst arm | false claims | best found | rounds |\n"
      "|---|---|---|---|---|---|---|---|\n");
  struct Row {
    const char* name;
    Field field;
    double least = 0.93;  // share of intervals that hold the truth
  };
  for (const auto& [name, field, least] :
       {Row{"six", kSixArms}, Row{"three equals", kThreeEquals}, Row{"heats", kHeats},
        Row{"groups", kGroups}, Row{"quick look", kQuickLook, 0.88}}) {
    for (const stats::Noise& noise : {stats::kQuiet, stats::kDrifting, stats::kBursty}) {
      for (const double sd : {0.0, 0.005, 0.01, 0.02}) {
        const CampaignTally tally = SimulateCampaigns(field, noise, sd, kTrials);
        std::printf("| %s | %s | %.1f %% | %.1f %% | %.1f %% | %.1f %% | %.1f %% | %.0f |\n", name,
                    noise.name.c_str(), sd * 100, tally.covered * 100, tally.worst_covered * 100,
                    tally.false_claims * 100, tally.best_found * 100, tally.rounds);
        EXPECT_GE(tally.worst_covered, least) << name << " " << noise.name << " " << sd;
        EXPECT_LE(tally.false_claims, 0.05 + 0.014) << name << " " << noise.name << " " << sd;
        EXPECT_GE(tally.best_found, 0.95) << name << " " << noise.name << " " << sd;
      }
    }
  }
}

}  // namespace
}  // namespace assay::campaign
