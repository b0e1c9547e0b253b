#include "zoo/moments.h"

#include <gtest/gtest.h>

namespace assay::zoo {
namespace {

void ExpectNear(const Moments& got, double mean, double variance) {
  EXPECT_NEAR(got.mean, mean, 2e-5);
  EXPECT_NEAR(got.variance, variance, 2e-5);
}

// Expected numbers: integrated apart from this code in Python, over twelve deviations in steps of
// 0.00012 with libm's exp.
TEST(MomentsTest, IntegratesActivationsOverANormalInput) {
  ExpectNear(ClipMoments({0.5, 1}, 0, 6), 0.697797, 0.553441);
  ExpectNear(SiluMoments({0.5, 1}), 0.5, 0.507448);
  ExpectNear(HardSwishMoments({0.5, 1}), 0.457097, 0.491875);
  ExpectNear(SigmoidMoments({0, 1}), 0.5, 0.0433790);
}

TEST(MomentsTest, LeavesAConstantAConstant) {
  ExpectNear(HardSwishMoments({1.5, 0}), 1.125, 0);  // 1.5 * 4.5 / 6
}

TEST(MomentsTest, MultipliesIndependentValues) {
  ExpectNear(ProductMoments({2, 0}, {3, 4}), 6, 16);  // a constant times
  ExpectNear(ProductMoments({0, 2}, {0, 3}), 0, 6);   // E[a^2] E[b^2]
  ExpectNear(ProductMoments({1, 2}, {3, 4}), 3, 30);  // 3 * 13 - 9
}

}  // namespace
}  // namespace assay::zoo
