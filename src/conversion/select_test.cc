#include "conversion/select.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace assay::conversion {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

std::vector<std::string> Labels(const Result<std::vector<Choice>>& choices) {
  std::vector<std::string> labels;
  if (choices) {
    for (const Choice& choice : *choices) {
      labels.push_back(choice.label);
    }
  }
  return labels;
}

std::string ErrorOf(std::string_view list) {
  const auto choices = Select(list);
  return choices ? "" : choices.error().message;
}

TEST(SelectTest, KeepsTheOrderAskedFor) {
  EXPECT_THAT(Labels(Select("COMPILE_OPENVINO,EAGER,ONNX_CPU")),
              ElementsAre("COMPILE_OPENVINO", "EAGER", "ONNX_CPU"));
}

TEST(SelectTest, IgnoresCaseAndSpacesAndSpellsCanonically) {
  EXPECT_THAT(Labels(Select("onnx_cpu, Eager@PyTorch")), ElementsAre("ONNX_CPU", "EAGER@pytorch"));
}

TEST(SelectTest, PinsAConversionToAnEngine) {
  const auto choices = Select("EAGER,EAGER@pytorch");
  ASSERT_TRUE(choices.ok());
  EXPECT_EQ((*choices)[0].route.engine, "torch");
  EXPECT_EQ((*choices)[1].route.engine, "pytorch");
}

TEST(SelectTest, NamesTheNearestForEachUnknownName) {
  const std::string error = ErrorOf("COMPILE_INDUCTOR,OPENVINO");
  EXPECT_THAT(error, AllOf(HasSubstr("no conversion 'COMPILE_INDUCTOR' (did you mean "
                                     "COMPILE_INDUCTOR_DEFAULT"),
                           HasSubstr("no conversion 'OPENVINO' (did you mean COMPILE_OPENVINO"),
                           Not(HasSubstr("\n"))));
}

TEST(SelectTest, RefusesANameAskedForTwice) {
  EXPECT_EQ(ErrorOf("EAGER,ONNX_CPU,eager"), "conversion EAGER is named twice");
}

TEST(SelectTest, RefusesEmptyNames) {
  EXPECT_THAT(ErrorOf(""), HasSubstr("empty name"));
  EXPECT_THAT(ErrorOf("EAGER,,ONNX_CPU"), HasSubstr("empty name in the conversions 'EAGER,,"));
}

TEST(SelectTest, ListsTheEnginesThatCanWhenOneCannot) {
  EXPECT_EQ(ErrorOf("EAGER@openvino"),
            "engine 'openvino' cannot run EAGER (engines that can: torch, pytorch)");
}

TEST(SelectTest, KnowsTheTestEngineOnlyWhenItIsAllowed) {
  EXPECT_THAT(ErrorOf("EAGER@fake"), HasSubstr("engine 'fake' cannot run EAGER"));
  const auto choices = Select("ONNX_CPU@fake", TestEngines::kAllowed);
  ASSERT_TRUE(choices.ok());
  EXPECT_EQ((*choices)[0].route.engine, "fake");
  EXPECT_EQ((*choices)[0].label, "ONNX_CPU@fake");
}

TEST(SelectTest, TakesNumbersOfTheRegistry) {
  EXPECT_THAT(
      Labels(Select("6,0@pytorch, 1000")),
      ElementsAre("COMPILE_INDUCTOR_DEFAULT", "EAGER@pytorch", "EXPORT+AOT_INDUCTOR+FREEZING"));
  EXPECT_THAT(ErrorOf("94"), HasSubstr("no conversion '94'"));
}

TEST(SelectTest, TakesWhatAPatternFitsInTheOrderOfTheRegistry) {
  EXPECT_THAT(
      Labels(Select("EXPORT+A*QUANTIZED,EAGER")),
      ElementsAre("EXPORT+AI8WI8_FLOAT_QUANTIZED", "EXPORT+AI8WI8_STATIC_QUANTIZED", "EAGER"));
  EXPECT_THAT(Labels(Select("optimum_quanto_wi?")),
              ElementsAre("OPTIMUM_QUANTO_WI8", "OPTIMUM_QUANTO_WI4", "OPTIMUM_QUANTO_WI2"));
  EXPECT_THAT(Labels(Select("*autocast*")),
              ElementsAre("AUTOCAST_BF16+EAGER", "AUTOCAST_BF16+COMPILE_INDUCTOR_DEFAULT"));
  EXPECT_EQ(Labels(Select("*")).size(), Registry().size());
}

TEST(SelectTest, FitsPatternsAgainstWholeNames) {
  EXPECT_THAT(Labels(Select("*EAGER")), Not(Contains("COMPILE_INDUCTOR_EAGER_FALLBACK")));
  EXPECT_THAT(Labels(Select("ONNX*")),
              ElementsAre("ONNX_CPU", "ONNX_GPU", "ONNX+DYNAMO_EXPORT", "ONNX_CPU+NO_SPINNING"));
  EXPECT_THAT(Labels(Select("*N*X*_CPU+*G")), ElementsAre("ONNX_CPU+NO_SPINNING"));
  EXPECT_THAT(Labels(Select("EAGER*")), ElementsAre("EAGER"));
  EXPECT_THAT(Labels(Select("**EAGER**,!*+*,!*_*")), ElementsAre("EAGER"));
}

TEST(SelectTest, KnowsBothSpellingsOfTheMisspeltName) {
  const char* name = "OPTIMIM_QUANTO_Wf8E5M2+COMPILE_CUDAGRAPHS";
  EXPECT_THAT(Labels(Select("OPTIMUM_QUANTO_Wf8E5M2+COMPILE_CUDAGRAPHS")), ElementsAre(name));
  EXPECT_THAT(Labels(Select("OPTIMUM_*")), Contains(name));
  EXPECT_THAT(Labels(Select("OPTIMIM*")), ElementsAre(name));
}

TEST(SelectTest, TakesOnceWhatIsMeantTwice) {
  EXPECT_THAT(Labels(Select("ONNX_C*,*_CPU,*_CPU+N*,!*INT8*,!BF16*")),
              ElementsAre("ONNX_CPU", "ONNX_CPU+NO_SPINNING"));
  EXPECT_THAT(Labels(Select("JIT_TRACE,*JIT_TRACE,FP16+JIT_TRACE")),
              ElementsAre("JIT_TRACE", "FP16+JIT_TRACE", "BF16+JIT_TRACE"));
}

TEST(SelectTest, RefusesANameWrittenTwiceWhateverPatternsSay) {
  EXPECT_EQ(ErrorOf("6,compile_inductor_default"),
            "conversion COMPILE_INDUCTOR_DEFAULT is named twice");
  EXPECT_EQ(ErrorOf("*JIT_TRACE,JIT_TRACE,31"), "conversion JIT_TRACE is named twice");
}

TEST(SelectTest, LeavesOutWhereverItIsWritten) {
  EXPECT_THAT(Labels(Select("!FP16*,*JIT_TRACE,!bf16*")), ElementsAre("JIT_TRACE"));
  EXPECT_THAT(Labels(Select("*JIT_TRACE, ! 70")), ElementsAre("JIT_TRACE", "BF16+JIT_TRACE"));
}

TEST(SelectTest, TakesAllButWhatIsLeftOutWhenNothingElseIsSaid) {
  const auto labels = Labels(Select("!FP16*,!EAGER"));
  EXPECT_EQ(labels.front(), "EXPORT+EAGER");
  EXPECT_THAT(labels, Not(Contains("FP16+EAGER")));
  EXPECT_EQ(labels.size(), Registry().size() - 24);  // FP16+EAGER and 22 more, and EAGER
}

TEST(SelectTest, RefusesToLeaveOutWhatIsNamed) {
  EXPECT_EQ(ErrorOf("FP16+EAGER,EAGER,!FP16*"),
            "conversion FP16+EAGER is named and left out by '!FP16*'");
}

TEST(SelectTest, RefusesAListThatLeavesNothing) {
  EXPECT_EQ(ErrorOf("!*"), "'!*' leaves no conversion");
  EXPECT_EQ(ErrorOf("*JIT*,!*TRACE"), "'*JIT*,!*TRACE' leaves no conversion");
}

TEST(SelectTest, NamesTheNearestForAPatternThatFitsNothing) {
  EXPECT_EQ(ErrorOf("EXPRT+*"), "no conversion fits 'EXPRT+*' (did you mean EXPORT?)");
  EXPECT_THAT(ErrorOf("EAGER,!*BFLOAT16*"), HasSubstr("no conversion fits '*BFLOAT16*'"));
  EXPECT_THAT(ErrorOf("!COMPILE_OPENVIN"), HasSubstr("did you mean COMPILE_OPENVINO"));
}

TEST(SelectTest, PinsThoseOfAPatternThatTheEngineRuns) {
  EXPECT_THAT(Labels(Select("*@torch")),
              AllOf(Contains("EAGER@torch"), Contains("EXPORT+AOT_INDUCTOR@torch"),
                    Not(Contains("ONNX_CPU@torch"))));
  EXPECT_EQ(ErrorOf("ONNX_C*@torch"), "engine 'torch' can run none of 'ONNX_C*'");
  EXPECT_THAT(Labels(Select("*INT8*@fake", TestEngines::kAllowed)),
              Contains("INT8_STATIC+ONNX_CPU@fake"));
}

TEST(SelectTest, RefusesEnginesWhereTheyMeanNothing) {
  EXPECT_EQ(ErrorOf("EAGER,!EAGER@pytorch"),
            "'!EAGER@pytorch' leaves out a conversion on one engine only");
  EXPECT_EQ(ErrorOf("EAGER@"), "no engine behind the @ of 'EAGER@'");
  EXPECT_THAT(ErrorOf("EAGER,!"), HasSubstr("empty name"));
  EXPECT_THAT(ErrorOf("@torch"), HasSubstr("empty name"));
}

TEST(DefaultChoicesTest, AreTheSixWaysInTheOrderOfTheReport) {
  EXPECT_THAT(Labels(DefaultChoices()),
              ElementsAre("EAGER", "COMPILE_INDUCTOR_DEFAULT", "EXPORT+AOT_INDUCTOR",
                          "EXPORT+AOT_INDUCTOR+FREEZING", "ONNX_CPU", "COMPILE_OPENVINO"));
}

}  // namespace
}  // namespace assay::conversion
