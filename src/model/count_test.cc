#include "model/count.h"

#include "model/testing.h"

namespace assay::model {
namespace {

class CountTest : public FolderTest {
 protected:
  std::uint64_t Macs(const std::string& graph) {
    const auto model = LoadText(graph);
    EXPECT_TRUE(model.ok()) << (model.ok() ? "" : model.error().message);
    return model.ok() ? model->macs : 0;
  }
};

TEST_F(CountTest, CountsConvolutionsByOutputElementAndSeenKernel) {
  EXPECT_EQ(Macs("agraph (float[2,3,8,8] x, float[16,3,3,3] w) => (float[A,B,C,D] y) "
                 "{ y = Conv<pads=[1,1,1,1], strides=[2,2]>(x, w) }"),
            2u * 16 * 4 * 4 * 27);
}

TEST_F(CountTest, CountsGroupsOnce) {
  EXPECT_EQ(Macs("agraph (float[1,6,8,8] x, float[6,1,3,3] w) => (float[A,B,C,D] y) "
                 "{ y = Conv<group=6, pads=[1,1,1,1]>(x, w) }"),
            6u * 8 * 8 * 9);
}

TEST_F(CountTest, CountsTransposedConvolutionsByInputElement) {
  EXPECT_EQ(Macs("agraph (float[1,3,4,4] x, float[3,5,2,2] w) => (float[A,B,C,D] y) "
                 "{ y = ConvTranspose<strides=[2,2]>(x, w) }"),
            3u * 4 * 4 * 5 * 4);
}

TEST_F(CountTest, CountsMatrixProductsOfWeightsAndActivations) {
  EXPECT_EQ(
      Macs("agraph (float[2,3] x, float[4,3] w) => (float[A,B] y) { y = Gemm<transB=1>(x, w) }"),
      24u);
  EXPECT_EQ(
      Macs("agraph (float[3,2] x, float[3,4] w) => (float[A,B] y) { y = Gemm<transA=1>(x, w) }"),
      24u);
  EXPECT_EQ(
      Macs("agraph (float[7,2,3] x, float[7,3,4] w) => (float[A,B,C] y) { y = MatMul(x, w) }"),
      7u * 24);
  EXPECT_EQ(Macs("agraph (float[7,2,3] x, float[3,4] w) => (float[A,B,C] y) { y = MatMul(x, w) }"),
            7u * 24);
  EXPECT_EQ(Macs("agraph (float[3] x, float[3] w) => (float y) { y = MatMul(x, w) }"), 3u);
}

TEST_F(CountTest, LeavesOutRunningStatisticsScalarsAndIntegers) {
  const auto model = LoadText(
      "agraph (float[1,2,4,4] x) => (float[A,B,C,D] y) <float[2] gamma = {1,1}, float[2] beta = "
      "{0,0}, "
      "float[2] mean = {0,0}, float[2] var = {1,1}, float half = {0.5}, int64[2] i = {1,2}> "
      "{ b = BatchNormalization(x, gamma, beta, mean, var) y = Mul(b, half) }");
  ASSERT_TRUE(model.ok()) << model.error().message;
  EXPECT_EQ(model->parameters, 4u);
}

}  // namespace
}  // namespace assay::model
