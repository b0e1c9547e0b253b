#include "base/text.h"

#include <gmock/gmock.h>

namespace assay {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(NearestTest, FindsAMisspeltName) {
  EXPECT_THAT(Nearest("resnet81", {"resnet18", "vit_b_16"}), ElementsAre("resnet18"));
}

TEST(NearestTest, FindsANameByOneOfItsParts) {
  EXPECT_THAT(Nearest("OPENVINO", {"EAGER", "COMPILE_OPENVINO"}), ElementsAre("COMPILE_OPENVINO"));
}

TEST(NearestTest, FindsNothingForAForeignWord) {
  EXPECT_THAT(Nearest("zebra", {"EAGER", "ONNX_CPU"}), IsEmpty());
}

TEST(OneLineTest, PrintsAnyBytesOnOneLineOfWholeCharacters) {
  EXPECT_EQ(OneLine("a\n\n\tb.\n"), "a b");
  EXPECT_EQ(OneLine("\xff\xc3z\xc0\x80\xed\xa0\x80\x1b[2J"), "??z????? [2J");
  EXPECT_EQ(OneLine("\xe2\x82\xac\xe2\x82\xac", 5), "\xe2\x82\xac");
}

TEST(IsTextTest, TakesUtf8WithoutControlCharacters) {
  EXPECT_TRUE(IsText(""));
  EXPECT_TRUE(IsText("/layer.0/W\xc3\xa4rme \xf0\x9f\x99\x82"));
  for (const char* text : {"a\n", "\x7f", "\xff", "\xc3", "\xc0\x80", "\xe0\x80\x80",
                           "\xed\xa0\x80", "\xf0\x80\x80\x80", "\xf4\x90\x80\x80"}) {
    EXPECT_FALSE(IsText(text)) << text;
  }
}

TEST(FormatBytesTest, UsesThreeDigitsAndPowersOfAThousand) {
  EXPECT_EQ(FormatBytes(870), "870 B");
  EXPECT_EQ(FormatBytes(46'800'000), "46.8 MB");
  EXPECT_EQ(FormatBytes(999'960'000), "1.0 GB");
}

}  // namespace
}  // namespace assay
