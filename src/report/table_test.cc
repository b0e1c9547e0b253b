#include "report/table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/text.h"
#include "report/list.h"

namespace assay::report {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

Table Small() {
  return {{{"name"}, {"ms", true}, {"note"}},
          {{{"a"}, {"10.5 ±1"}, {"x"}}, {{"longer"}, {"9"}, {""}}}};
}

TEST(TextTableTest, AlignsByWhatIsSeenNotByBytes) {
  EXPECT_EQ(TextTable(Small(), {}),
            "name         ms  note\n"
            "a       10.5 ±1  x\n"
            "longer        9  \n");
}

TEST(TextTableTest, GoesOnBelowWhereTheWidthEnds) {
  EXPECT_EQ(TextTable(Small(), {.width = 16}),
            "name         ms\n"
            "a       10.5 ±1\n"
            "longer        9\n"
            "\n"
            "name    note\n"
            "a       x\n"
            "longer  \n");
}

TEST(TextTableTest, BreaksSentencesOverLines) {
  const Table table{{{"name"}, {"what it does", false, false, true}},
                    {{{"a"}, {"one two three four five six seven"}}, {{"b"}, {"short"}}}};
  EXPECT_EQ(TextTable(table, {.width = 26}),
            "name  what it does\n"
            "a     one two three four\n"
            "      five six seven\n"
            "b     short\n");
}

TEST(MarkdownTableTest, EscapesBars) {
  const Table table{{{"a|b"}}, {{{"c|d"}}}};
  EXPECT_EQ(MarkdownTable(table), "| a\\|b |\n|---|\n| c\\|d |\n");
}

TEST(CsvLineTest, QuotesOnlyWhatNeedsIt) {
  EXPECT_EQ(CsvLine({"a", "b,c", "say \"x\"", "two\nlines", ""}),
            "a,\"b,c\",\"say \"\"x\"\"\",\"two\nlines\",\r\n");
}

TEST(WrapTest, BreaksBetweenWordsAndKeepsLongOnesWhole) {
  EXPECT_THAT(Wrap("one two three", 7), ElementsAre("one two", "three"));
  EXPECT_THAT(Wrap("--conversions=A,B,C,D x", 5), ElementsAre("--conversions=A,B,C,D", "x"));
}

List Models() {
  List list{"models", Json::array(), {{"name", {"name"}}, {"parameters", {"parameters", true}}}};
  list.items.push_back(
      {{"name", "resnet18"}, {"parameters", 11'689'512u}, {"input_shape", {1, 3}}});
  return list;
}

TEST(ListTest, SeparatesSentencesByMoreThanABlank) {
  List list = Models();
  list.items[0]["steps"] = {"torch.export", "run it"};
  list.items[0]["engines"] = {"torch", "pytorch"};
  const std::string text = RenderItem(list, list.items[0], Format::kText, {});
  EXPECT_THAT(text, HasSubstr("torch.export; run it\n"));
  EXPECT_THAT(text, HasSubstr("torch pytorch\n"));
}

TEST(ListTest, HasASchemaAndItemsInJson) {
  const auto json = ParseJson(RenderList(Models(), Format::kJson, {}), "output");
  ASSERT_TRUE(json.ok());
  EXPECT_EQ((*json)["schema"], "assay.models/1");
  EXPECT_EQ((*json)["items"][0]["input_shape"], Json({1, 3}));
}

TEST(ListTest, HoldsEveryKeyInCsvAndTheChosenOnesInText) {
  EXPECT_EQ(RenderList(Models(), Format::kCsv, {}),
            "name,parameters,input_shape\r\nresnet18,11689512,1 3\r\n");
  EXPECT_EQ(RenderList(Models(), Format::kText, {}),
            "name      parameters\nresnet18      11.7 M\n");
}

TEST(ListTest, ExplainsOneItemInFull) {
  const List list = Models();
  EXPECT_THAT(RenderItem(list, list.items[0], Format::kText, {}), HasSubstr("input shape   1x3\n"));
}

}  // namespace
}  // namespace assay::report
