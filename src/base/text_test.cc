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

TEST(FormatBytesTest, UsesThreeDigitsAndPowersOfAThousand) {
  EXPECT_EQ(FormatBytes(870), "870 B");
  EXPECT_EQ(FormatBytes(46'800'000), "46.8 MB");
  EXPECT_EQ(FormatBytes(999'960'000), "1.0 GB");
}

}  // namespace
}  // namespace assay
