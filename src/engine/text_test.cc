#include "engine/text.h"

#include <gtest/gtest.h>

namespace assay::engine {
namespace {

TEST(TextTest, StringsOfAnyLengthComeBack) {
  const std::vector<std::string> strings = {"a", "", "w\xc3\xa4rme", "bc"};
  const tensor::Tensor made = FromStrings("x.0", {2, 2}, strings);
  EXPECT_EQ(made.type, (tensor::Type{tensor::DType::kUInt8, {2, 2, 6}}));
  EXPECT_EQ(ToStrings(made.type.shape, made.data), strings);
}

TEST(TextTest, NothingButEmptyStringsStillHasItsElements) {
  const tensor::Tensor made = FromStrings("x", {3}, {"", "", ""});
  EXPECT_EQ(made.type.shape, (tensor::Shape{3, 1}));
  EXPECT_EQ(ToStrings(made.type.shape, made.data), (std::vector<std::string>{"", "", ""}));
}

}  // namespace
}  // namespace assay::engine
