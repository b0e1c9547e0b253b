#include "tensor/tensor.h"

#include <gtest/gtest.h>

namespace assay::tensor {
namespace {

TEST(DTypeTest, ReadsBackEveryNameItWrites) {
  for (int i = 0; i <= static_cast<int>(DType::kBool); ++i) {
    const auto dtype = static_cast<DType>(i);
    EXPECT_EQ(ParseDType(Name(dtype)), dtype);
  }
  EXPECT_EQ(ParseDType("float128"), std::nullopt);
}

TEST(DTypeTest, KnowsBytesPerElement) {
  EXPECT_EQ(SizeOf(DType::kBFloat16), 2u);
  EXPECT_EQ(SizeOf(DType::kInt64), 8u);
  EXPECT_EQ(SizeOf(DType::kBool), 1u);
}

TEST(ShapeTest, CountsElementsOfScalarsAndEmptyShapes) {
  EXPECT_EQ(*ElementCount({}), 1u);
  EXPECT_EQ(*ElementCount({2, 3, 4}), 24u);
  EXPECT_EQ(*ElementCount({2, 0, 4}), 0u);
}

TEST(ShapeTest, RefusesNegativeDimensions) {
  EXPECT_EQ(ElementCount({2, -1}).error().message, "shape 2x-1 has a negative dimension");
}

TEST(ShapeTest, RefusesProductsThatOverflowAlsoBesideAZero) {
  const std::int64_t big = std::int64_t{1} << 31;
  EXPECT_TRUE(ElementCount({big, std::int64_t{1} << 28}).ok());
  EXPECT_FALSE(ElementCount({big, big}).ok());  // fits 2^63 elements, not their bytes
  EXPECT_FALSE(ElementCount({big, big, big}).ok());
  EXPECT_FALSE(ElementCount({0, big, big, big}).ok());
}

TEST(ShapeTest, PrintsAsPeopleWriteIt) {
  EXPECT_EQ(ToString(Shape{1, 3, 224, 224}), "1x3x224x224");
  EXPECT_EQ(ToString(Shape{}), "scalar");
}

}  // namespace
}  // namespace assay::tensor
