#include "conversion/tiers.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

namespace assay::conversion {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

const Host kPlain{.isa = {"avx2", "fma"}};
const Host kBf16{.isa = {"avx2", "avx512bw", "avx512_bf16"}};
const Host kFp16{.isa = {"avx2", "avx512bw", "avx512_bf16", "avx512_fp16"}};

std::vector<std::string> Labels(const char* tier, const Host& host) {
  std::vector<std::string> labels;
  const auto choices = TierChoices(tier, host);
  EXPECT_TRUE(choices.ok());
  for (const Choice& choice : *choices) {
    labels.push_back(choice.label);
  }
  return labels;
}

Choice Of(const std::vector<Choice>& choices, const std::string& name) {
  return *std::find_if(choices.begin(), choices.end(),
                       [&](const Choice& choice) { return choice.conversion.name == name; });
}

TEST(TiersTest, OneIsAQuickLook) {
  EXPECT_THAT(Labels("1", kPlain), ElementsAre("EAGER", "COMPILE_INDUCTOR_DEFAULT"));
}

TEST(TiersTest, TwoReducesEachRouteToBf16WhereTheCpuComputesInIt) {
  EXPECT_THAT(Labels("2", kBf16),
              ElementsAre("EAGER", "COMPILE_INDUCTOR_DEFAULT", "EXPORT+AOT_INDUCTOR+FREEZING",
                          "ONNX_CPU", "COMPILE_OPENVINO", "BF16+EAGER",
                          "BF16+COMPILE_INDUCTOR_DEFAULT", "BF16+EXPORT+AOT_INDUCTOR+FREEZING",
                          "INT8_STATIC+ONNX_CPU", "BF16+COMPILE_OPENVINO"));
}

TEST(TiersTest, TwoReducesEachRouteToInt8WhereBf16IsEmulated) {
  EXPECT_THAT(Labels("2", kPlain),
              ElementsAre("EAGER", "COMPILE_INDUCTOR_DEFAULT", "EXPORT+AOT_INDUCTOR+FREEZING",
                          "ONNX_CPU", "COMPILE_OPENVINO", "NATIVE_CONVERT_AI8WI8_STATIC_QUANTIZED",
                          "INT8+EXPORT+AOT_INDUCTOR+FREEZING", "INT8_STATIC+ONNX_CPU",
                          "INT8_STATIC+COMPILE_OPENVINO"));
}

TEST(TiersTest, TwoTakesNoInt8KernelsThatTheCpuHasNoInstructionsFor) {
  EXPECT_THAT(Labels("2", Host{}), Not(Contains("NATIVE_CONVERT_AI8WI8_STATIC_QUANTIZED")));
}

TEST(TiersTest, ThreeHasEveryNameOnceInTheRegistrysOrder) {
  std::vector<std::string> names;
  for (const Conversion& conversion : Registry()) {
    names.push_back(conversion.name);
  }
  EXPECT_EQ(Labels("3", kPlain), names);
}

TEST(TiersTest, ThreeLeavesOutFp16WhereItIsEmulatedAndSaysWhy) {
  const auto without = TierChoices("3", kBf16);
  const Legality left_out = LegalityOf(Of(*without, "FP16+EAGER"), kBf16);
  ASSERT_FALSE(left_out.able.ok());
  EXPECT_EQ(left_out.able.error().code, Code::kUnsupported);
  EXPECT_THAT(left_out.able.error().message,
              HasSubstr("tiers leave it out: 2 to 40 times slower"));
  EXPECT_EQ(left_out.able.error().hint, "ask for it by name: --conversions FP16+EAGER");
  EXPECT_THAT(LegalityOf(Of(*without, "FP16+COMPILE_OPENVINO"), kBf16).able.error().message,
              HasSubstr("another precision"));  // the reason why it cannot run at all stays
  EXPECT_TRUE(LegalityOf(Of(*without, "BF16+EAGER"), kBf16).able.ok());
  const auto with = TierChoices("3", kFp16);
  EXPECT_TRUE(LegalityOf(Of(*with, "FP16+EAGER"), kFp16).able.ok());
}

TEST(TiersTest, TheEngineOfTestsTakesWhatMayRunAndNothingElse) {
  const auto choices = TierChoices("3@fake", kPlain, TestEngines::kAllowed);
  ASSERT_TRUE(choices.ok());
  EXPECT_EQ(Of(*choices, "EXPORT+AOT_INDUCTOR").route.engine, "fake");
  EXPECT_EQ(Of(*choices, "EXPORT+AOT_INDUCTOR").route.preparer, "fake");
  EXPECT_EQ(Of(*choices, "EXPORT+AOT_INDUCTOR").label, "EXPORT+AOT_INDUCTOR@fake");
  EXPECT_FALSE(LegalityOf(Of(*choices, "ONNX_GPU"), kPlain).able.ok());
  EXPECT_FALSE(LegalityOf(Of(*choices, "FP16+EAGER"), kPlain).able.ok());
  EXPECT_FALSE(TierChoices("3@fake", kPlain).ok());
}

TEST(TiersTest, RefusesAnyOtherWordAndNamesThoseThatThereAre) {
  for (const char* word : {"", "0", "4", "all", "1.5", "2@torch"}) {
    const auto choices = TierChoices(word, kPlain, TestEngines::kAllowed);
    ASSERT_FALSE(choices.ok()) << word;
    EXPECT_EQ(choices.error().code, Code::kInvalidArgument);
    EXPECT_EQ(choices.error().message, std::string("no tier '") + word + "'");
    EXPECT_THAT(choices.error().hint, HasSubstr("2 (the routes"));
  }
}

}  // namespace
}  // namespace assay::conversion
