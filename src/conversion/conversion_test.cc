#include "conversion/conversion.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

namespace assay::conversion {
namespace {

using ::testing::AllOf;
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

TEST(RegistryTest, HoldsNamesAndIdsOnceInTheOrderOfIds) {
  std::set<std::string> names;
  int last = -1;
  for (const Conversion& conversion : Registry()) {
    EXPECT_TRUE(names.insert(conversion.name).second) << conversion.name;
    EXPECT_GT(conversion.id, last) << conversion.name;
    EXPECT_FALSE(conversion.routes.empty()) << conversion.name;
    EXPECT_FALSE(conversion.description.empty()) << conversion.name;
    last = conversion.id;
  }
}

TEST(RegistryTest, KnowsTheNumbersThatUsersKnow) {
  const auto choices = Select(
      "EAGER,ONNX_CPU,COMPILE_INDUCTOR_DEFAULT,EXPORT+AOT_INDUCTOR,COMPILE_OPENVINO,"
      "EXPORT+AOT_INDUCTOR+FREEZING");
  ASSERT_TRUE(choices.ok());
  std::vector<int> ids;
  for (const Choice& choice : *choices) {
    ids.push_back(choice.conversion.id);
  }
  EXPECT_THAT(ids, ElementsAre(0, 2, 6, 17, 30, 1000));
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

TEST(DefaultChoicesTest, AreTheSixWaysInTheOrderOfTheReport) {
  EXPECT_THAT(Labels(DefaultChoices()),
              ElementsAre("EAGER", "COMPILE_INDUCTOR_DEFAULT", "EXPORT+AOT_INDUCTOR",
                          "EXPORT+AOT_INDUCTOR+FREEZING", "ONNX_CPU", "COMPILE_OPENVINO"));
}

TEST(RecipeTest, ReadsBackWhatItWrote) {
  const Recipe recipe{.capture = "export", .compiler = "aot_inductor", .freezing = true};
  const auto read = RecipeFromJson(ToJson(recipe), "job");
  ASSERT_TRUE(read.ok());
  EXPECT_EQ(ToJson(*read), ToJson(recipe));
  EXPECT_THAT(RecipeFromJson(Json::object(), "job").error().message, HasSubstr("capture"));
}

}  // namespace
}  // namespace assay::conversion
