#include "conversion/recipe.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "conversion/conversion.h"

namespace assay::conversion {
namespace {

using ::testing::HasSubstr;

TEST(RecipeTest, ReadsBackWhatItWroteForEveryConversion) {
  for (const Conversion& c : Registry()) {
    const auto read = RecipeFromJson(ToJson(c.recipe), "job");
    ASSERT_TRUE(read.ok()) << c.name << read.error().message;
    EXPECT_EQ(*read, c.recipe) << c.name;
  }
}

TEST(RecipeTest, WritesWhatItAlwaysWroteSoThatCachesStayGood) {
  const Recipe frozen{.capture = "export", .compiler = "aot_inductor", .freezing = true};
  EXPECT_EQ(ToJson(frozen).dump(),
            R"({"capture":"export","compiler":"aot_inductor","precision":"fp32",)"
            R"("freezing":true,"graph_optimization":"all"})");
  const Recipe as_is{.compiler = "eager", .precision = "bf16", .as_is = true};
  EXPECT_EQ(ToJson(as_is).dump(), R"({"capture":"none","compiler":"eager","precision":"bf16",)"
                                  R"("freezing":false,"graph_optimization":"all","as_is":true})");
}

TEST(RecipeTest, WritesOfTheOtherFieldsWhatDiffersFromTheirDefault) {
  const Json json = ToJson(Find("COMPILE_INDUCTOR_MAX_AUTOTUNE")->recipe);
  EXPECT_EQ(json["mode"], "max-autotune");
  EXPECT_EQ(json["fullgraph"], true);
  EXPECT_FALSE(json.contains("spinning"));
  EXPECT_EQ(ToJson(Find("ONNX_CPU+NO_SPINNING")->recipe)["spinning"], false);
}

TEST(RecipeTest, NamesTheFieldThatIsMissingOrOfAnotherType) {
  EXPECT_THAT(RecipeFromJson(Json::object(), "job").error().message, HasSubstr("capture"));
  Json json = ToJson(Recipe{.compiler = "eager"});
  json["spinning"] = "no";
  EXPECT_EQ(RecipeFromJson(json, "job").error().code, Code::kMalformed);
}

TEST(ClassOfTest, IsTheNarrowestThatItComputesIn) {
  EXPECT_EQ(ClassOf(Find("EAGER")->recipe), "fp32");
  EXPECT_EQ(ClassOf(Find("AUTOCAST_BF16+EAGER")->recipe), "bf16");
  EXPECT_EQ(ClassOf(Find("OPTIMUM_QUANTO_AI8WI2")->recipe), "int2");
  EXPECT_EQ(ClassOf(Find("OPTIMUM_QUANTO_Wf8E4M3NUZ")->recipe), "fp8");
  EXPECT_EQ(ClassOf(Find("TORCHAO_QUANT_I4_WEIGHT_ONLY")->recipe), "int4");
  EXPECT_EQ(ClassOf(Find("INT8_DYNAMIC+ONNX_CPU")->recipe), "int8");
}

}  // namespace
}  // namespace assay::conversion
