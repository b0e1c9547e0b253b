#include "campaign/finite.h"

#include <gtest/gtest.h>

#include <limits>

#include "campaign/verdict.h"

namespace assay::campaign {
namespace {

constexpr double kInf = std::numeric_limits<double>::infinity();
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

/// Two sets, whose first elements are given.
Outputs Make(double first, double second, double error = 0) {
  return {{"y", {.shape = {1, 3}, .sets = {{first, 4 + error, 6}, {second, 6, 4}}}}};
}

Judgement JudgeOne(const Outputs& reference, const Outputs& outputs, bool drawn,
                   const std::optional<Outputs>& eager = std::nullopt) {
  References references;
  references.golden = reference;
  references.eager = eager;
  references.drawn = drawn;
  const ArmOutputs arm{.outputs = &outputs};
  return Judge(references, {&arm, 1}, std::nullopt).arms.front();
}

TEST(FiniteTest, TellsWhatIsAlike) {
  EXPECT_EQ(PairOf(1, 2), Pair::kNumbers);
  EXPECT_EQ(PairOf(-kInf, -kInf), Pair::kAlike);
  EXPECT_EQ(PairOf(kNan, kNan), Pair::kAlike);
  EXPECT_EQ(PairOf(1e39, kInf), Pair::kAlike);  // fp32 cannot say it otherwise
  EXPECT_EQ(PairOf(-kInf, kInf), Pair::kApart);
  EXPECT_EQ(PairOf(-1e39, kInf), Pair::kApart);
  EXPECT_EQ(PairOf(1, kInf), Pair::kApart);
  EXPECT_EQ(PairOf(kInf, 1), Pair::kApart);
  EXPECT_EQ(PairOf(kNan, 1), Pair::kApart);
  EXPECT_EQ(PairOf(kInf, kNan), Pair::kApart);
}

TEST(FiniteTest, CountsNaNBeforeInfinities) {
  EXPECT_LT(CountNonFinite(Make(kInf, kInf)), CountNonFinite(Make(kNan, 1)));
  EXPECT_LT(CountNonFinite(Make(1, 1)), CountNonFinite(Make(kInf, 1)));
  EXPECT_EQ(CountNonFinite(Make(kNan, -kInf)), (NonFinite{1, 1, 6}));
}

TEST(FiniteVerdictTest, InfinitiesOfTheReferenceAreRightInTheirPlaces) {
  const Judgement right = JudgeOne(Make(-kInf, -kInf), Make(-kInf, -kInf, 1e-6), true);
  EXPECT_EQ(right.output.verdict, "pass");
  EXPECT_NEAR(*right.output.relative_l2, 0.5e-6, 1e-12);  // as without them
  EXPECT_EQ(right.notes.front(),
            "2 of 6 outputs are infinite in the reference and here: the others were compared");
  EXPECT_EQ(JudgeOne(Make(-kInf, -kInf), Make(-kInf, -kInf, 1), true).outcome,
            record::Outcome::kWrongOutput);
  EXPECT_EQ(JudgeOne(Make(-kInf, 1), Make(kInf, 1), true).reason,
            "output 'y' holds NaN or infinity, not where the reference does");
  EXPECT_EQ(JudgeOne(Make(-kInf, 1), Make(0, 1), true).reason,
            "output 'y' is a number where the reference is infinite");
  EXPECT_EQ(JudgeOne(Make(0, 1), Make(kInf, 1), true).reason, "output 'y' holds NaN or infinity");
}

TEST(FiniteVerdictTest, RandomInputsWithoutNumbersBlameNoRuntime) {
  const Judgement both = JudgeOne(Make(kNan, 1), Make(kNan, 1), true);
  EXPECT_EQ(both.outcome, record::Outcome::kMistrusted);
  EXPECT_EQ(both.reason, "with random inputs this model gives NaN in every runtime: give --input");
  EXPECT_EQ(JudgeOne(Make(kNan, 1), Make(0, 1), true).outcome, record::Outcome::kMistrusted);
  EXPECT_EQ(JudgeOne(Make(kNan, 1), Make(kInf, 1), true).outcome, record::Outcome::kMistrusted);
}

TEST(FiniteVerdictTest, OfInputsThatTheUserChoseTheNumbersAreCompared) {
  const Judgement right = JudgeOne(Make(kNan, 1), Make(kNan, 1), false);
  EXPECT_EQ(right.output.verdict, "pass");
  EXPECT_EQ(right.notes.front(),
            "1 of 6 outputs are NaN in the reference and here: the others were compared");
  EXPECT_EQ(JudgeOne(Make(kNan, 1), Make(kNan, 1, 1), false).outcome,
            record::Outcome::kWrongOutput);
  EXPECT_EQ(JudgeOne(Make(1, 1), Make(kNan, 1), false).outcome, record::Outcome::kWrongOutput);
  EXPECT_EQ(JudgeOne(Make(kNan, 1), Make(1, 1), false).outcome, record::Outcome::kMistrusted);
}

TEST(FiniteVerdictTest, WhatOverflowsInPlainFp32TooIsNotTheRuntimes) {
  const Judgement judgement = JudgeOne(Make(1e30, 1), Make(kInf, 1), true, Make(kInf, 1));
  EXPECT_EQ(judgement.outcome, record::Outcome::kMistrusted);
  EXPECT_EQ(JudgeOne(Make(1e30, 1), Make(kInf, 1), true, Make(1e30, 1)).outcome,
            record::Outcome::kWrongOutput);
}

}  // namespace
}  // namespace assay::campaign
