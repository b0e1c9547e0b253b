#include "conversion/legality.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "conversion/select.h"

namespace assay::conversion {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

const Host kOld{.isa = {"avx2", "fma"}};
const Host kNew{.isa = {"avx2", "avx512bw", "avx512_bf16", "avx512_fp16", "amx_bf16"}};

std::string ReasonOf(const char* name, const Host& host = kOld) {
  const Legality legality = LegalityOf(*Find(name), host);
  return legality.able.ok() ? "" : legality.able.error().message;
}

std::string HintOf(const char* name, const Host& host = kOld) {
  const Legality legality = LegalityOf(*Find(name), host);
  return legality.able.ok() ? "" : legality.able.error().hint;
}

TEST(LegalityTest, LetsRunWhatRunsAnywhere) {
  for (const char* name : {"EAGER", "ONNX_CPU", "EXPORT+AOT_INDUCTOR+FREEZING", "JIT_TRACE"}) {
    EXPECT_EQ(ReasonOf(name, Host{}), "") << name;
    EXPECT_EQ(LegalityOf(*Find(name), Host{}).warning, "") << name;
  }
}

TEST(LegalityTest, NamesTheNearestThatRunsWhereAnNvidiaGpuIsMissing) {
  EXPECT_THAT(ReasonOf("ONNX_GPU"), HasSubstr("NVIDIA GPU, and there is none here"));
  EXPECT_EQ(HintOf("ONNX_GPU"), "the nearest that runs here: ONNX_CPU");
  EXPECT_EQ(HintOf("COMPILE_CUDAGRAPHS"), "the nearest that runs here: COMPILE_INDUCTOR_DEFAULT");
  EXPECT_EQ(HintOf("BF16+EXPORT+COMPILE_TENSORRT"), "the nearest that runs here: COMPILE_OPENVINO");
}

TEST(LegalityTest, SaysThatGpusAreNotBuiltYetWhereThereIsOne) {
  const Host host{.isa = {}, .devices = {"cpu", "cuda"}};
  EXPECT_THAT(ReasonOf("ONNX_GPU", host), HasSubstr("not built yet"));
}

TEST(LegalityTest, SaysWhyNobodyCanRunIt) {
  EXPECT_THAT(ReasonOf("EXPORT+COMPILE_TVM"), HasSubstr("tvm.relay"));
  EXPECT_EQ(HintOf("EXPORT+COMPILE_TVM"),
            "the nearest that runs here: EXPORT+COMPILE_INDUCTOR_MAX_AUTOTUNE");
  EXPECT_EQ(HintOf("BF16+COMPILE_ONNXRT"), "the nearest that runs here: ONNX_CPU");
}

TEST(LegalityTest, KnowsFp16ToBeSlowWhereTheProcessorHasNoArithmeticForIt) {
  EXPECT_TRUE(LegalityOf(*Find("FP16+EAGER"), kOld).slow);
  EXPECT_FALSE(LegalityOf(*Find("FP16+EAGER"), kNew).slow);
  EXPECT_FALSE(LegalityOf(*Find("FP16+COMPILE_OPENVINO"), kOld).slow) << "it does not run";
  EXPECT_FALSE(LegalityOf(*Find("BF16+EAGER"), kOld).slow);
  EXPECT_FALSE(LegalityOf(*Find("EAGER"), kOld).slow);
}

TEST(LegalityTest, HasAnAlternativeForAllThatDoNotRun) {
  for (const Conversion& c : Registry()) {
    const Legality legality = LegalityOf(c, kOld);
    if (!legality.able.ok()) {
      EXPECT_EQ(legality.able.error().code, Code::kUnsupported) << c.name;
      EXPECT_THAT(legality.able.error().hint, StartsWith("the nearest that runs here: ")) << c.name;
    }
  }
}

TEST(LegalityTest, RefusesWhatNeedsInstructionsThatAreMissing) {
  EXPECT_EQ(ReasonOf("NATIVE_CONVERT_AI8WI8_STATIC_QUANTIZED"), "");
  EXPECT_THAT(ReasonOf("NATIVE_CONVERT_AI8WI8_STATIC_QUANTIZED", Host{.isa = {"asimd"}}),
              HasSubstr("need AVX2, and this CPU has no avx2"));
}

TEST(LegalityTest, WarnsOfNumbersThatTheCpuDoesNotComputeIn) {
  EXPECT_EQ(ReasonOf("FP16+EAGER"), "");
  EXPECT_THAT(LegalityOf(*Find("FP16+EAGER"), kOld).warning,
              HasSubstr("2 to 40 times slower than fp32"));
  EXPECT_THAT(LegalityOf(*Find("BF16+EAGER"), kOld).warning, HasSubstr("emulated"));
  EXPECT_EQ(LegalityOf(*Find("FP16+EAGER"), kNew).warning, "");
  EXPECT_EQ(LegalityOf(*Find("BF16+EAGER"), kNew).warning, "");
}

TEST(LegalityTest, IsStricterWithOpenVinoWhichWouldComputeInAnotherPrecision) {
  Conversion c = *Find("FP16+COMPILE_OPENVINO");
  c.standing = Standing::kRuns;
  EXPECT_THAT(LegalityOf(c, kOld).able.error().message, HasSubstr("no avx512_fp16"));
  EXPECT_TRUE(LegalityOf(c, kNew).able.ok());
}

TEST(LegalityTest, RunsEverythingOnTheEngineOfTests) {
  const auto choices = Select("ONNX_GPU@fake,ONNX_GPU", TestEngines::kAllowed);
  ASSERT_TRUE(choices.ok());
  EXPECT_TRUE(LegalityOf((*choices)[0], kOld).able.ok());
  EXPECT_FALSE(LegalityOf((*choices)[1], kOld).able.ok());
}

}  // namespace
}  // namespace assay::conversion
