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

TEST(PlainOfTest, RoundsWhatTheQuantiserRounds) {
  const auto name = [](const char* conversion) {
    const auto plain = PlainOf(Find(conversion)->recipe);
    return plain ? PlainName(*plain) : "";
  };
  EXPECT_EQ(name("EAGER"), "");
  EXPECT_EQ(name("OPTIMUM_QUANTO_WI2"), "");
  EXPECT_EQ(name("BF16+EXPORT+AOT_INDUCTOR+FREEZING"), "plain-bf16");
  EXPECT_EQ(name("AUTOCAST_BF16+EAGER"), "plain-bf16");
  EXPECT_EQ(name("OPTIMUM_QUANTO_WI8"), "plain-int8");
  EXPECT_EQ(name("OPTIMUM_QUANTO_AI8WI4"), "plain-int4-int8");
  EXPECT_EQ(name("OPTIMUM_QUANTO_Wf8E5M2"), "plain-float8_e5m2");
  EXPECT_EQ(name("TORCHAO_QUANT_I4_WEIGHT_ONLY"), "plain-bf16-int4");
  EXPECT_EQ(name("EXPORT+AI8WI8_FLOAT_QUANTIZED"), "plain-int8-int8");
  EXPECT_EQ(name("NATIVE_CONVERT_AI8WI8_STATIC_QUANTIZED"), "plain-int8-int7");
  EXPECT_EQ(name("INT8_STATIC+ONNX_CPU"), "plain-int8_narrow-int8");
  EXPECT_EQ(name("INT8+EXPORT+AOT_INDUCTOR+FREEZING"), "plain-int8-int8_narrow");
}

TEST(PlainOfTest, AModelsOwnClassHasNoOther) {
  Recipe own = Find("BF16+EAGER")->recipe;
  own.as_is = true;
  EXPECT_FALSE(PlainOf(own));
}

}  // namespace
}  // namespace assay::conversion
