#include "campaign/verdict.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace assay::campaign {
namespace {

/// Two sets of two logits; the part that varies with the input has norm 2 (each element +-1 around
/// its mean of 5), so an error of `e` in one element is e / 2 of it.
Outputs Make(double error = 0) {
  return {{"y", {.shape = {1, 2}, .sets = {{4 + error, 6}, {6, 4}}}}};
}

References WithNoise(double noise) {
  References references;
  references.golden = Make();
  // The error of 2 x noise stands in the first of two sets, whose norms of variation are sqrt(2).
  references.rounding["y"] = {.reach = {2 * noise, 0}};
  references.witness = Make();
  return references;
}

Judgement JudgeOne(const References& references, const Outputs& outputs,
                   const std::string& precision = "fp32",
                   std::optional<double> tolerance = std::nullopt) {
  const ArmOutputs arm{.outputs = &outputs, .precision = precision};
  return Judge(references, {&arm, 1}, tolerance).arms.front();
}

TEST(VerdictTest, ErrorsAreRelativeToThePartOfGoldenThatVaries) {
  const Difference difference = Compare(Make(), Make(1e-3));
  EXPECT_NEAR(difference.relative_l2, 0.5e-3, 1e-15);
  EXPECT_NEAR(difference.max_abs, 1e-3, 1e-12);
  EXPECT_NEAR(difference.cosine, 1, 1e-6);
  EXPECT_EQ(difference.top1_agreement, 1);
}

TEST(VerdictTest, PassesAtTenTimesWhatFp32Does) {
  const References references = WithNoise(1e-4);
  EXPECT_EQ(JudgeOne(references, Make(2 * 0.99e-3)).output.verdict, "pass");
  const Judgement failed = JudgeOne(references, Make(2 * 1.02e-3));
  EXPECT_EQ(failed.output.verdict, "fail");
  EXPECT_EQ(failed.outcome, record::Outcome::kWrongOutput);
  EXPECT_NEAR(*failed.output.tolerance, 1e-3, 1e-9);
  EXPECT_NEAR(*failed.output.least_passing_tolerance, 1.02e-3, 1e-9);
  EXPECT_EQ(failed.output.reference, "aten-fp64");
}

TEST(VerdictTest, AModuleWhoseFastPathDiffersIsRightInEitherWay) {
  References references = WithNoise(1e-6);
  references.eager = Make(1);
  EXPECT_EQ(JudgeOne(references, Make(1)).output.verdict, "fail");
  references.eager_differs = true;
  const Judgement fast = JudgeOne(references, Make(1 + 1e-6));
  EXPECT_EQ(fast.output.verdict, "pass");
  EXPECT_EQ(fast.output.reference, "module-fp32");
  EXPECT_EQ(fast.notes.size(), 1u);
  EXPECT_EQ(JudgeOne(references, Make()).output.reference, "aten-fp64");
  EXPECT_EQ(JudgeOne(references, Make(0.5)).output.verdict, "fail");
}

TEST(VerdictTest, ReplacesTheToleranceByTheOneGiven) {
  EXPECT_EQ(JudgeOne(WithNoise(1e-6), Make(0.2), "fp32", 0.2).output.verdict, "pass");
}

TEST(VerdictTest, AReducedModelPassesAtThreeTimesTheErrorOfItsPlainRun) {
  References references = WithNoise(1e-6);
  references.precision = "bf16";
  references.plain = Make(2 * 0.01);  // 3 x 0.01 is more than the class's 0.02
  EXPECT_EQ(JudgeOne(references, Make(2 * 0.029), "bf16").output.verdict, "pass");
  const Judgement failed = JudgeOne(references, Make(2 * 0.031), "bf16");
  EXPECT_EQ(failed.output.verdict, "fail");
  EXPECT_NEAR(*failed.output.tolerance, 0.03, 1e-9);
}

TEST(VerdictTest, AReducedModelWhosePlainRunIsFarOffDecidesNothing) {
  References references = WithNoise(1e-6);
  references.precision = "fp16";
  references.plain = Make(2 * 0.6);
  const Judgement judgement = JudgeOne(references, Make(2 * 0.6), "fp16");
  EXPECT_EQ(judgement.outcome, record::Outcome::kMistrusted);
  EXPECT_EQ(judgement.reason,
            "fp16 alone moves the outputs by 6.0e-01: this model with these weights decides "
            "nothing");
}

TEST(VerdictTest, TheWitnessOfAReducedModelMayBeOffByItsClass) {
  References references = WithNoise(1e-6);
  references.precision = "fp16";
  references.plain = Make(2 * 1e-3);
  references.witness = Make(2 * 2e-3);
  const Outputs like_witness = Make(2 * 2e-3);
  const ArmOutputs arm{.outputs = &like_witness, .precision = "fp16"};
  EXPECT_EQ(Judge(references, {&arm, 1}, std::nullopt).lowering_suspect, "");
  references.golden.reset();
  EXPECT_EQ(JudgeOne(references, Make(), "fp16").output.reference, "onnxruntime-fp16");
}

TEST(VerdictTest, HoldsReducedClassesToTheirOwnBounds) {
  EXPECT_EQ(JudgeOne(WithNoise(1e-6), Make(0.03), "bf16").output.verdict, "pass");
  EXPECT_EQ(JudgeOne(WithNoise(1e-6), Make(0.05), "bf16").output.verdict, "fail");
  EXPECT_EQ(JudgeOne(WithNoise(1e-6), Make(0.05), "int8").output.verdict, "pass");
  EXPECT_EQ(JudgeOne(WithNoise(1e-6), Make(), "int2").output.verdict, "unchecked");
}

/// References with a plain run of the arm's class that is off by `error`.
Judgement JudgeInt8(double reference_error, const Outputs& outputs,
                    const std::string& precision = "int8") {
  References references = WithNoise(1e-6);
  references.plains["plain"] = Make(2 * reference_error);
  const ArmOutputs arm{.outputs = &outputs, .precision = precision, .plain = "plain"};
  return Judge(references, {&arm, 1}, std::nullopt).arms.front();
}

TEST(VerdictTest, AQuantisedArmPassesAtThreeTimesTheErrorOfThePlainRunOfItsClass) {
  EXPECT_EQ(JudgeInt8(0.05, Make(2 * 0.149)).output.verdict, "pass");
  const Judgement failed = JudgeInt8(0.05, Make(2 * 0.151));
  EXPECT_EQ(failed.outcome, record::Outcome::kWrongOutput);
  EXPECT_NEAR(*failed.output.tolerance, 0.15, 1e-9);
  EXPECT_EQ(JudgeInt8(0.001, Make(2 * 0.099)).output.verdict, "pass");  // the class's floor
  EXPECT_EQ(JudgeInt8(0.001, Make(2 * 0.101)).output.verdict, "fail");
  EXPECT_EQ(JudgeInt8(0.01, Make(2 * 0.49), "int4").output.verdict, "pass");
  EXPECT_EQ(JudgeInt8(0.2, Make(2 * 0.59), "fp8").output.verdict, "pass");
  EXPECT_EQ(JudgeInt8(0.2, Make(2 * 0.61), "fp8").output.verdict, "fail");
}

TEST(VerdictTest, AQuantisedArmWhoseScaleIsOffByTwoFailsWhereItsClassCanTell) {
  const Outputs doubled = {{"y", {.shape = {1, 2}, .sets = {{8, 12}, {12, 8}}}}};
  const Outputs mean = {{"y", {.shape = {1, 2}, .sets = {{5, 5}, {5, 5}}}}};  // of no use at all
  for (const double reference_error : {0.001, 0.1, 0.3, 0.49}) {
    EXPECT_EQ(JudgeInt8(reference_error, doubled).output.verdict, "fail") << reference_error;
    EXPECT_EQ(JudgeInt8(reference_error, mean).output.verdict, "fail") << reference_error;
    EXPECT_EQ(JudgeInt8(reference_error, mean, "int4").output.verdict, "fail");
  }
}

TEST(VerdictTest, AClassThatMovesTheOutputsByMoreThanHalfDecidesNothing) {
  const Judgement judgement = JudgeInt8(0.51, Make(2 * 0.02));
  EXPECT_EQ(judgement.outcome, record::Outcome::kMistrusted);
  EXPECT_EQ(judgement.reason,
            "int8 alone moves the outputs by 5.1e-01: this model with these weights decides "
            "nothing");
}

TEST(VerdictTest, WithoutThePlainRunOfItsClassAnArmIsHeldToTheFloor) {
  References references = WithNoise(1e-6);
  references.precision = "fp16";
  references.plain = Make(2 * 0.2);  // of the model's own class: says nothing about int8
  const Outputs outputs = Make(2 * 0.11);
  const ArmOutputs arm{.outputs = &outputs, .precision = "int8", .plain = "plain-int8"};
  EXPECT_EQ(Judge(references, {&arm, 1}, std::nullopt).arms.front().output.verdict, "fail");
}

TEST(VerdictTest, FailsNaN) {
  const Judgement judgement =
      JudgeOne(WithNoise(1e-6), Make(std::numeric_limits<double>::quiet_NaN()));
  EXPECT_EQ(judgement.outcome, record::Outcome::kWrongOutput);
  EXPECT_EQ(judgement.reason, "output 'y' holds NaN or infinity");
}

TEST(VerdictTest, FailsAMissingOutputAndAnotherShape) {
  const Outputs renamed = {{"z", Make().at("y")}};
  EXPECT_EQ(JudgeOne(WithNoise(1e-6), renamed).reason, "output 'y' is missing");
  const Outputs longer = {{"y", {.shape = {1, 3}, .sets = {{4, 6, 0}, {6, 4, 0}}}}};
  EXPECT_EQ(JudgeOne(WithNoise(1e-6), longer).outcome, record::Outcome::kWrongOutput);
}

TEST(VerdictTest, MistrustsOutputsThatDoNotVaryWithTheInput) {
  References references;
  references.golden = references.witness =
      Outputs{{"y", {.shape = {1, 2}, .sets = {{4, 6}, {4, 6}}}}};
  const Judgement judgement = JudgeOne(references, *references.golden);
  EXPECT_EQ(judgement.outcome, record::Outcome::kMistrusted);
  EXPECT_EQ(judgement.output.verdict, "mistrusted");
}

TEST(VerdictTest, MistrustsOutputsThatVaryByLessThanAHundredTimesTheNoise) {
  EXPECT_EQ(JudgeOne(WithNoise(0.011), Make()).outcome, record::Outcome::kMistrusted);
  EXPECT_EQ(JudgeOne(WithNoise(0.009), Make()).outcome, record::Outcome::kMeasured);
}

TEST(VerdictTest, DeviatesBeyondWhatFp32DoesAndFailsBeyondTenTimesThat) {
  const References references = WithNoise(2e-6);
  const Judgement deviating = JudgeOne(references, Make(2 * 1.8e-4));
  EXPECT_EQ(deviating.output.verdict, "pass");
  EXPECT_TRUE(deviating.output.deviates);
  EXPECT_EQ(deviating.notes,
            std::vector<std::string>{
                "output deviates: off by 1.8e-04 where 2.0e-05 was expected of fp32; the least "
                "tolerance that passes is 1.8e-04: compare it with what the model's use can bear"});
  EXPECT_FALSE(JudgeOne(references, Make(2 * 1.9e-5)).output.deviates);
  EXPECT_EQ(JudgeOne(references, Make(2 * 2.1e-4)).output.verdict, "fail");
}

TEST(VerdictTest, FailsASystematicErrorThatAWellConditionedModelShows) {
  EXPECT_EQ(JudgeOne(WithNoise(1e-6), Make(2 * 3e-4)).output.verdict, "fail");
}

TEST(VerdictTest, NeverAsksForLessThanSomeUnitsInTheLastPlaceOfTheWholeOutput) {
  const auto make = [](double error) {
    return Outputs{{"y", {.shape = {1, 1}, .sets = {{100 + error}, {100.01}}}}};
  };
  References references;
  references.golden = make(0);
  references.rounding["y"] = {.reach = {1e-9, 1e-9}};
  const Judgement judgement = JudgeOne(references, make(1e-4));  // 1e-2 of what varies
  EXPECT_EQ(judgement.output.verdict, "pass") << judgement.reason;
  EXPECT_EQ(JudgeOne(references, make(2e-3)).output.verdict, "fail");
}

TEST(VerdictTest, JudgesBySetsOnWhichTheModelIsWellConditioned) {
  EXPECT_EQ(WellConditioned({{"y", {.reach = {1, 2, 30, 5}}}}), (Sets{0, 1, 3}));
  EXPECT_EQ(WellConditioned({{"y", {.reach = {1, 20, 30, 50}}}}), (Sets{0, 1}));
  EXPECT_EQ(WellConditioned({{"y", {.reach = {0, 0}}}, {"z", {.reach = {1, 20}}}}), (Sets{0, 1}));
  EXPECT_EQ(WellConditioned({}), Sets{});
}

TEST(VerdictTest, NamesTheOutputThatIsWrongAmongSeveral) {
  References references;
  references.golden = Outputs{{"a", Make().at("y")}, {"b", Make().at("y")}};
  references.rounding = {{"a", {.reach = {1e-2, 1e-2}}}, {"b", {.reach = {1e-6, 1e-6}}}};
  const Outputs outputs = {{"a", Make(1e-2).at("y")}, {"b", Make(1e-2).at("y")}};
  const Judgement judgement = JudgeOne(references, outputs);
  EXPECT_EQ(judgement.output.worst_output, "b");
  EXPECT_EQ(judgement.reason,
            "its output 'b' is off by 5.0e-03, 7.1e-06 is allowed (1 of 2 outputs are wrong)");
}

TEST(VerdictTest, LeavesWhatDoesNotRepeatUncheckedAndJudgesTheRest) {
  References references;
  references.golden = Outputs{{"a", Make().at("y")}, {"b", Make().at("y")}};
  references.unchecked["b"] = "its outputs are random";
  const Outputs outputs = {{"a", Make().at("y")}, {"b", Make(3).at("y")}};
  const Judgement judgement = JudgeOne(references, outputs);
  EXPECT_EQ(judgement.output.verdict, "pass");
  EXPECT_EQ(judgement.notes,
            std::vector<std::string>{"output 'b' unchecked: its outputs are random"});
  references.unchecked["a"] = "its outputs are random";
  EXPECT_EQ(JudgeOne(references, outputs).output.verdict, "unchecked");
  EXPECT_EQ(JudgeOne(references, outputs).outcome, record::Outcome::kMeasured);
}

TEST(VerdictTest, TellsWhatIsDrawnFromWhatRemembers) {
  EXPECT_EQ(Unrepeatable({.reach = {}, .again = {0, 1e-12}, .norm = {1, 1}}), "");
  EXPECT_EQ(Unrepeatable({.reach = {}, .again = {0, 0.1}, .norm = {1, 1}}),
            "its outputs depend on earlier calls");
  EXPECT_EQ(Unrepeatable({.reach = {}, .again = {0.1}, .norm = {1}, .draws = true}),
            "its outputs are random");
}

TEST(VerdictTest, DoesNotSuspectTheLoweringOfAModelThatFp32Loses) {
  References references;
  references.golden = Make();
  references.rounding["y"] = {.reach = {0.3, 0.3}};
  references.witness = Make(0.4);
  const Outputs like_witness = Make(0.4);
  const ArmOutputs arm{.outputs = &like_witness};
  const Verdict verdict = Judge(references, {&arm, 1}, std::nullopt);
  EXPECT_EQ(verdict.lowering_suspect, "");
  EXPECT_EQ(verdict.arms.front().outcome, record::Outcome::kMistrusted);
  EXPECT_EQ(verdict.arms.front().reason,
            "the model is ill-conditioned in fp32, whose rounding alone moves the outputs by "
            "2.1e-01 of what varies with the input: too much to expose an error");
}

TEST(VerdictTest, TakesTheWitnessWhenThereIsNoGolden) {
  References references;
  references.witness = Make();
  const Judgement judgement = JudgeOne(references, Make(1e-4));
  EXPECT_EQ(judgement.output.verdict, "pass");
  EXPECT_EQ(judgement.output.reference, "onnxruntime-fp32");
  EXPECT_EQ(JudgeOne(references, Make(1e-3)).output.verdict, "fail");
}

TEST(VerdictTest, LeavesOutputsUncheckedWithoutAnyReference) {
  References references;
  references.no_golden = "operator Foo is unknown";
  references.no_witness = "no engine";
  const Judgement judgement = JudgeOne(references, Make());
  EXPECT_EQ(judgement.output.verdict, "unchecked");
  EXPECT_EQ(judgement.outcome, record::Outcome::kMeasured);
  EXPECT_EQ(judgement.reason, "no reference: operator Foo is unknown; no engine");
}

class DisagreementTest : public ::testing::Test {
 protected:
  DisagreementTest() {
    references_.golden = Make(0.2);  // from the wrong lowering
    references_.rounding["y"] = {.reach = {0, 0}};
    references_.witness = Make();
  }
  References references_;
  const Outputs lowered_ = Make(0.2), right_ = Make();
};

TEST_F(DisagreementTest, SuspectsTheLoweringWhenAnotherEngineSidesWithTheWitness) {
  const std::vector<ArmOutputs> arms = {{.outputs = &lowered_, .lowered = true},
                                        {.outputs = &right_, .witness_runtime = true},
                                        {.outputs = &right_}};
  const Verdict verdict = Judge(references_, arms, std::nullopt);
  EXPECT_FALSE(verdict.lowering_suspect.empty());
  EXPECT_EQ(verdict.arms[0].outcome, record::Outcome::kMistrusted);
  EXPECT_EQ(verdict.arms[1].output.verdict, "pass");
  EXPECT_EQ(verdict.arms[2].output.verdict, "pass");
  EXPECT_EQ(verdict.arms[2].output.reference, "onnxruntime-fp32");
}

TEST_F(DisagreementTest, DoesNotCondemnTheWitnessRuntimeOnItsOwnWord) {
  const std::vector<ArmOutputs> arms = {{.outputs = &lowered_, .lowered = true},
                                        {.outputs = &right_, .witness_runtime = true}};
  const Verdict verdict = Judge(references_, arms, std::nullopt);
  EXPECT_TRUE(verdict.lowering_suspect.empty());
  EXPECT_EQ(verdict.arms[0].output.verdict, "pass");
  EXPECT_EQ(verdict.arms[1].outcome, record::Outcome::kMistrusted);
}

/// Outputs under one input used four times; the sets differ by the rounding of threads alone.
Outputs Fixed(double error = 0) {
  const auto set = [&](double rounding) { return std::vector<double>{3 + error, 4 + rounding}; };
  return {{"y", {.shape = {1, 2}, .sets = {set(0), set(1e-9), set(0), set(1e-9)}}}};
}

TEST(VerdictTest, MeasuresErrorsByTheWholeOutputWhenTheInputIsFixed) {
  References references;
  references.golden = references.witness = Fixed();
  references.rounding["y"] = {.reach = {5e-7, 5e-7, 5e-7, 5e-7}};
  EXPECT_EQ(JudgeOne(references, Fixed(5e-7)).output.verdict, "mistrusted");
  references.fixed_input = true;
  const Judgement passed = JudgeOne(references, Fixed(5e-7));
  EXPECT_EQ(passed.output.verdict, "pass") << passed.reason;
  EXPECT_NEAR(*passed.output.relative_l2, 1e-7, 1e-9);
  EXPECT_EQ(JudgeOne(references, Fixed(5e-3)).output.verdict, "fail");
}

TEST(VerdictTest, NothingOutvotesThePythonModelItself) {
  References references = WithNoise(1e-6);
  references.golden_name = kModuleGolden;
  references.witness = Make(0.5);
  const Outputs exported = Make(0.5), right = Make();
  const ArmOutputs arms[] = {{.outputs = &exported, .precision = "fp32"},
                             {.outputs = &right, .precision = "fp32"},
                             {.outputs = &right, .precision = "fp32", .lowered = true}};
  const Verdict verdict = Judge(references, arms, std::nullopt);
  EXPECT_EQ(verdict.lowering_suspect, "");
  EXPECT_EQ(verdict.arms[0].output.verdict, "fail");  // although it sides with the witness
  EXPECT_EQ(verdict.arms[1].output.verdict, "pass");
  EXPECT_EQ(verdict.arms[2].output.verdict, "pass");
  EXPECT_EQ(verdict.arms[1].output.reference, "module-fp64");
}

}  // namespace
}  // namespace assay::campaign
