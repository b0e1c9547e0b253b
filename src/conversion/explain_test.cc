#include "conversion/explain.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/text.h"

namespace assay::conversion {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

Explanation Of(const char* name) { return Explain(*Find(name)); }

TEST(ExplainTest, HasStepsTimingAndUseForEveryConversion) {
  for (const Conversion& c : Registry()) {
    const Explanation explanation = Explain(c);
    EXPECT_EQ(explanation.steps.size(), Split(c.name, '+').size()) << c.name;
    EXPECT_THAT(explanation.timed, HasSubstr("inference")) << c.name;
    EXPECT_FALSE(explanation.use.empty()) << c.name;
    EXPECT_EQ(explanation.needs.empty(), c.standing == Standing::kExplained) << c.name;
  }
}

TEST(ExplainTest, SaysWhatIsShownBesideTheTime) {
  EXPECT_THAT(Of("EXPORT+AOT_INDUCTOR").timed, HasSubstr("preparing"));
  EXPECT_THAT(Of("ONNX_CPU").timed, Not(HasSubstr("preparing")));
  EXPECT_THAT(Of("COMPILE_OPENVINO+THROUGHPUT").timed, HasSubstr("per second"));
}

TEST(ExplainTest, SaysWhatItNeeds) {
  EXPECT_THAT(Of("EXPORT+AOT_INDUCTOR").needs,
              Contains("the engine torch, and pytorch to prepare it"));
  EXPECT_THAT(Of("COMPILE_INDUCTOR_DEFAULT").needs, Contains(HasSubstr("C++ compiler")));
  EXPECT_THAT(Of("ONNX_CPU").needs, Not(Contains(HasSubstr("C++ compiler"))));
  EXPECT_THAT(Of("OPTIMUM_QUANTO_WI4").needs, Contains(HasSubstr("ninja")));
  EXPECT_THAT(Of("ONNX_GPU").needs, Contains("an NVIDIA GPU"));
  EXPECT_THAT(Of("FP16+EAGER").needs, Contains("a CPU with avx512_fp16 or asimdhp to be of use"));
}

TEST(ExplainTest, CallsOnlyPlainEagerTheBaseline) {
  EXPECT_THAT(Of("EAGER").use, HasSubstr("baseline"));
  EXPECT_THAT(Of("BF16+CHANNELS_LAST+EAGER").use, Not(HasSubstr("baseline")));
}

TEST(ExplainTest, SaysWhatGoesWrong) {
  EXPECT_THAT(Of("OPTIMUM_QUANTO_WI2").trap, HasSubstr("never judged"));
  EXPECT_THAT(Of("OPTIMUM_QUANTO_AI8WI8").trap, HasSubstr("calibration"));
  EXPECT_THAT(Of("OPTIMUM_QUANTO_WI8").trap, Not(HasSubstr("calibration")));
  EXPECT_THAT(Of("FP16+EAGER").trap, HasSubstr("2 to 40 times"));
  EXPECT_THAT(Of("ONNX_CPU").trap, IsEmpty());
}

}  // namespace
}  // namespace assay::conversion
