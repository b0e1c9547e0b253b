#include "predict/cost.h"

#include "model/testing.h"
#include "predict/breakdown.h"
#include "predict/operators.h"

namespace assay::predict {
namespace {

constexpr Precision kFp32{"fp32", 32};

class CostTest : public model::FolderTest {
 protected:
  /// Of the only node, or the last.
  Cost CostOf(const std::string& graph, Precision precision = kFp32) {
    const auto model = LoadText("agraph " + graph);
    EXPECT_TRUE(model.ok()) << (model.ok() ? "" : model.error().message);
    return model.ok() ? Costs(model->graph, precision).back() : Cost();
  }
};

TEST_F(CostTest, CountsAConvolution) {
  const Cost cost = CostOf(
      "(float[1,3,8,8] x, float[16,3,3,3] w, float[16] b) => (float[A,B,C,D] y) "
      "{ y = Conv<pads=[1,1,1,1]>(x, w, b) }");
  EXPECT_EQ(cost.kind, Kind::kMatrix);
  EXPECT_EQ(cost.macs, 16u * 64 * 27);
  EXPECT_EQ(cost.flops, 2u * 16 * 64 * 27 + 16 * 64);
  EXPECT_EQ(cost.read_bytes, 4u * (3 * 64 + 16 * 27 + 16));
  EXPECT_EQ(cost.written_bytes, 4u * 16 * 64);
}

TEST_F(CostTest, TellsDepthwiseConvolutionsApart) {
  const Cost cost = CostOf(
      "(float[1,6,8,8] x, float[6,1,3,3] w) => (float[A,B,C,D] y) "
      "{ y = Conv<group=6, pads=[1,1,1,1]>(x, w) }");
  EXPECT_EQ(cost.kind, Kind::kGrouped);
  EXPECT_EQ(cost.macs, 6u * 64 * 9);
}

TEST_F(CostTest, CountsConvolutionsOfOneAndThreeDimensions) {
  EXPECT_EQ(CostOf("(float[1,4,10] x, float[8,4,3] w) => (float[A,B,C] y) { y = Conv(x, w) }").macs,
            8u * 8 * 12);
  EXPECT_EQ(CostOf("(float[1,2,4,4,4] x, float[3,2,2,2,2] w) => (float[A,B,C,D,E] y) "
                   "{ y = Conv(x, w) }")
                .macs,
            3u * 27 * 16);
}

TEST_F(CostTest, HalvesTheBytesOfHalfThePrecision) {
  const char* graph = "(float[2,3] x, float[3,4] w) => (float[A,B] y) { y = MatMul(x, w) }";
  EXPECT_EQ(CostOf(graph).bytes(), 4u * (6 + 12 + 8));
  EXPECT_EQ(CostOf(graph, {"bf16", 16}).bytes(), 2u * (6 + 12 + 8));
  EXPECT_EQ(CostOf(graph, {"int4", 4}).bytes(), (6u + 12 + 8) / 2);
}

TEST_F(CostTest, CountsWeightsApartFromActivations) {
  const Cost cost = CostOf(
      "(float[1,2] x) => (float[A,B] y) <float[2,3] w = {1,1,1,1,1,1}, float[3] b = {0,0,0}> "
      "{ y = Gemm(x, w, b) }");
  EXPECT_EQ(cost.weight_bytes, 4u * 9);
  EXPECT_EQ(cost.read_bytes, 4u * 2);
  EXPECT_EQ(cost.parameters, 9u);
  EXPECT_EQ(cost.flops, 2u * 6 + 3);
}

TEST_F(CostTest, CountsWhatOtherOperatorsCompute) {
  EXPECT_EQ(CostOf("(float[2,5] x) => (float[A,B] y) { y = Softmax(x) }").flops, 10u * 12);
  EXPECT_EQ(CostOf("(float[2,5] x) => (float[A,B] y) { y = Sigmoid(x) }").flops, 10u * 11);
  EXPECT_EQ(CostOf("(float[2,5] x, float[5] s) => (float[A,B] y) "
                   "{ y = LayerNormalization(x, s) }")
                .flops,
            10u * 7);
  EXPECT_EQ(CostOf("(float[1,2,4,4] x) => (float[A,B,C,D] y) "
                   "{ y = MaxPool<kernel_shape=[2,2], strides=[2,2]>(x) }")
                .flops,
            8u * 4);
  EXPECT_EQ(CostOf("(float[1,2,4,4] x) => (float[A,B,C,D] y) { y = GlobalAveragePool(x) }").flops,
            32u);
}

TEST_F(CostTest, ReadsOfTablesOnlyTheRowsThatArePicked) {
  const Cost cost =
      CostOf("(float[1000,8] table, int64[3] i) => (float[A,B] y) { y = Gather(table, i) }");
  EXPECT_EQ(cost.read_bytes, 3u * 8 * 4 + 3 * 8);
  EXPECT_EQ(cost.written_bytes, 3u * 8 * 4);
}

TEST_F(CostTest, MovesNothingToRename) {
  const Cost cost = CostOf(
      "(float[2,6] x) => (float[A] y) <int64[1] s = {12}> "
      "{ y = Reshape(x, s) }");
  EXPECT_EQ(cost.kind, Kind::kView);
  EXPECT_EQ(cost.bytes(), 0u);
}

TEST_F(CostTest, CountsRecurrentCells) {
  // 7 steps of 2 sequences, 4 gates of 5 from 3 inputs and 5 states.
  EXPECT_EQ(CostOf("(float[7,2,3] x, float[1,20,3] w, float[1,20,5] r) => (float[A,B,C,D] y) "
                   "{ y = LSTM<hidden_size=5>(x, w, r) }")
                .macs,
            7u * 2 * 20 * 8);
}

TEST_F(CostTest, CountsEinsums) {
  EXPECT_EQ(CostOf("(float[2,3,4] a, float[2,4,5] b) => (float[A,B,C] y) "
                   "{ y = Einsum<equation=\"bij,bjk->bik\">(a, b) }")
                .macs,
            2u * 3 * 4 * 5);
  EXPECT_EQ(CostOf("(float[2,7,3,4] a, float[2,7,4,5] b) => (float[A,B,C,D] y) "
                   "{ y = Einsum<equation=\"... i j, ... j k -> ... i k\">(a, b) }")
                .macs,
            14u * 3 * 4 * 5);
}

TEST_F(CostTest, SumsModulesAndSortsThem) {
  const auto model = LoadText(
      "agraph (float[2,3] x, float[3,3] w) => (float[A,B] y) "
      "{ a = Relu(x) b = MatMul(a, w) y = Relu(b) }");
  ASSERT_TRUE(model.ok()) << model.error().message;
  const Breakdown lines = BreakDown(model->graph, kFp32, SortBy::kMacs, 0, 1);
  ASSERT_EQ(lines.lines.size(), 1u);
  EXPECT_EQ(lines.lines[0].op, "MatMul");
  EXPECT_EQ(lines.total.macs, 18u);
  EXPECT_EQ(lines.coverage.understood, 3u);
}

}  // namespace
}  // namespace assay::predict
