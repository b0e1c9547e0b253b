#include "model/precision.h"

#include "model/testing.h"

namespace assay::model {
namespace {

using PrecisionTest = FolderTest;

TEST_F(PrecisionTest, IsThatOfMostWeights) {
  EXPECT_EQ(LoadText("agraph (float[2] x) => (float[2] y) <float[2] w = {1, 2}> { y = Add(x, w) }")
                ->precision,
            "fp32");
  EXPECT_EQ(
      LoadText("agraph (float[2] x) => (float[2] y) <float16[2] w = {1, 2}, float[1] s = {1}> "
               "{ h = Cast<to=10>(x) a = Add(h, w) f = Cast<to=1>(a) y = Mul(f, s) }")
          ->precision,
      "fp16");
  EXPECT_EQ(LoadText("agraph (bfloat16[2] x) => (bfloat16[2] y) { y = Add(x, x) }")->precision,
            "bf16");
}

TEST_F(PrecisionTest, OfAGraphWithQuantisationIsAClassOfItsOwn) {
  const auto model = LoadText(
      "agraph (float[2] x) => (float[2] y) <float s = {0.5}, int8 z = {0}> "
      "{ q = QuantizeLinear(x, s, z) y = DequantizeLinear(q, s, z) }");
  ASSERT_TRUE(model.ok()) << model.error().message;
  EXPECT_EQ(model->precision, "int8-qdq");
}

}  // namespace
}  // namespace assay::model
