// The table of docs/measuring.md, with enough trials to trust a tenth of a percent; printed, and
// held to the promise for process effects between those of the quick test, too.
#include <gtest/gtest.h>

#include <cmath>
#include <cstdio>

#include "noise.h"

namespace assay::stats {
namespace {

constexpr int kTrials = 20000;

TEST(TableTest, EveryProcessEffectUpToThreePercentIsCovered) {
  std::printf(
      "| noise | process sd | covers at 30 | half-width | covers stopped | half-width | "
      "rounds | finds 3 %% at 30 |\n|---|---|---|---|---|---|---|---|\n");
  for (const Noise& noise : {kQuiet, kDrifting, kBursty}) {
    for (const double sd : {0.0, 0.0025, 0.005, 0.0075, 0.01, 0.015, 0.02, 0.03}) {
      const Tally tally = Simulate(noise, sd, std::log(1.03), 0.01, kTrials);
      std::printf("| %s | %.2f %% | %.1f %% | %.2f %% | %.1f %% | %.2f %% | %.0f | %.1f %% |\n",
                  noise.name.c_str(), sd * 100, tally.covered_first * 100,
                  tally.half_width_first * 100, tally.covered * 100, tally.half_width * 100,
                  tally.rounds, tally.found_first * 100);
      EXPECT_GE(tally.covered_first, 0.93) << noise.name << " " << sd;
      EXPECT_GE(tally.covered, 0.93) << noise.name << " " << sd;
    }
  }
}

}  // namespace
}  // namespace assay::stats
