#include "predict/prediction.h"

#include <gmock/gmock.h>

#include "model/testing.h"
#include "predict/assumptions.h"

namespace assay::predict {
namespace {

constexpr Precision kFp32{"fp32", 32};

hardware::Profile Cpu() {
  const auto figure = [](double value) { return hardware::Figure{value, "ds", "read"}; };
  hardware::Profile profile;
  profile.name = "test";
  profile.kind = "cpu";
  profile.confidence = "data sheet";
  profile.units = figure(4);
  profile.tdp_w = figure(100);
  profile.process_nm = figure(7);
  profile.rates = {{.dtype = "fp32", .matrix = false, .per_s = figure(1e12), .units = {}}};
  profile.memory = {{"L3", 1e6, figure(400e9)}, {"DRAM", 1e9, figure(100e9)}};
  return profile;
}

class PredictionTest : public model::FolderTest {
 protected:
  model::Graph GraphOf(const std::string& text) {
    auto model = LoadText("agraph " + text);
    EXPECT_TRUE(model.ok()) << (model.ok() ? "" : model.error().message);
    return model.ok() ? std::move(model->graph) : model::Graph();
  }
};

constexpr const char* kBlock =
    "(float[1,8,16,16] x, float[8,8,3,3] w) => (float[A,B,C,D] y) "
    "<float[8] g = {1,1,1,1,1,1,1,1}, float[8] h = {0,0,0,0,0,0,0,0}> "
    "{ c = Conv<pads=[1,1,1,1]>(x, w) b = BatchNormalization(c, g, h, h, g) r = Relu(b) "
    "y = Add(r, x) }";

TEST_F(PredictionTest, CompilersFuseConvolutionNormalisationActivationAddition) {
  const model::Graph graph = GraphOf(kBlock);
  const Work compiled = PrepareWork(graph, kFp32, EngineKind::kCompiled);
  const Work eager = PrepareWork(graph, kFp32, EngineKind::kEager);
  const auto groups = [](const Work& work) {
    return std::ranges::count_if(work.groups,
                                 [](const Group& g) { return g.cost.kind != Kind::kView; });
  };
  EXPECT_EQ(groups(compiled), 1);
  EXPECT_EQ(groups(eager), 4);
  const Cost& fused = compiled.groups.back().cost;
  const std::uint64_t image = 4 * 8 * 256;
  EXPECT_EQ(fused.read_bytes, image + 4 * 8 * 72);
  EXPECT_EQ(fused.written_bytes, image);
  EXPECT_EQ(fused.flops, 2u * 8 * 256 * 72 + 8 * 256 * 4);
}

TEST_F(PredictionTest, FusesAProductWithItsOwnSigmoid) {
  const model::Graph graph = GraphOf(
      "(float[4,8] x, float[8,8] w) => (float[A,B] y) "
      "{ m = MatMul(x, w) s = Sigmoid(m) y = Mul(m, s) }");
  EXPECT_EQ(PrepareWork(graph, kFp32, EngineKind::kCompiled).groups.size(), 1u);
}

TEST_F(PredictionTest, FusesAttentionToOneKernelThatWritesNoScores) {
  const model::Graph graph = GraphOf(
      "(float[2,4,8] q, float[2,8,4] k, float[2,4,8] v) => (float[A,B,C] y) "
      "<float scale = {0.5}> { s = MatMul(q, k) t = Mul(s, scale) p = Softmax(t) "
      "y = MatMul(p, v) }");
  const Work work = PrepareWork(graph, kFp32, EngineKind::kCompiled);
  ASSERT_EQ(work.groups.size(), 1u);
  EXPECT_EQ(work.groups[0].cost.macs, 2u * (2 * 4 * 4 * 8));
  EXPECT_EQ(work.groups[0].cost.written_bytes, 4u * 64);
  EXPECT_EQ(work.groups[0].cost.read_bytes, 4u * 3 * 64);
}

TEST_F(PredictionTest, KeepsWhatOthersReadOutsideOfFusion) {
  const model::Graph graph = GraphOf(
      "(float[4,8] x, float[8,8] w) => (float[A,B] y, float[C,D] z) "
      "{ m = MatMul(x, w) y = Relu(m) z = MatMul(m, w) }");
  EXPECT_EQ(PrepareWork(graph, kFp32, EngineKind::kCompiled).groups.size(), 3u);
}

TEST_F(PredictionTest, PeakMemoryIsWhereMostTensorsLive) {
  // x (16) stays as input, y (64) as output; a (64) waits for the addition while b (64) is made.
  const model::Graph graph = GraphOf(
      "(float[1,4] x, float[4,16] w) => (float[A,B] y) "
      "{ a = MatMul(x, w) b = Softmax(a) c = Softmax(b) y = Add(a, c) }");
  const Work work = PrepareWork(graph, kFp32, EngineKind::kEager);
  ASSERT_EQ(work.memory.timeline.size(), 4u);
  const std::uint64_t ends = 4 * (4 + 64);  // the inputs x and w
  EXPECT_EQ(work.memory.timeline[0].activation_bytes, ends + 64);
  EXPECT_EQ(work.memory.timeline[1].activation_bytes, ends + 2 * 64);
  EXPECT_EQ(work.memory.timeline[2].activation_bytes, ends + 2 * 64);  // c over b
  EXPECT_EQ(work.memory.timeline[3].activation_bytes, ends + 2 * 64);  // y over a or c
  EXPECT_EQ(work.memory.peak, 1u);
}

TEST_F(PredictionTest, BoundsAreThoseOfTheRoofline) {
  const hardware::Profile profile = Cpu();
  const auto bound = [&](const std::string& text) {
    const model::Graph graph = GraphOf(text);
    const Work work = PrepareWork(graph, kFp32, EngineKind::kCompiled);
    return Predict(work, profile, 1).operators.at(0).bound;
  };
  EXPECT_EQ(bound("(float[1024,1024] a, float[1024,1024] b) => (float[A,B] y) "
                  "{ y = MatMul(a, b) }"),
            Bound::kCompute);
  EXPECT_EQ(bound("(float[4096,1024] a, float[4096,1024] b) => (float[A,B] y) { y = Add(a, b) }"),
            Bound::kMemory);
  EXPECT_EQ(bound("(float[4] a, float[4] b) => (float[A] y) { y = Add(a, b) }"), Bound::kOverhead);
}

TEST_F(PredictionTest, SaysWhatDoesNotFitAndWhatIsLacking) {
  const model::Graph graph = GraphOf("(float[300000000] a) => (float[A] y) { y = Relu(a) }");
  const hardware::Profile profile = Cpu();
  const Prediction big = Predict(PrepareWork(graph, kFp32, EngineKind::kEager), profile, 1);
  EXPECT_FALSE(big.fits);
  EXPECT_EQ(big.problem, "does not fit: needs 2.4 GB of 1.0 GB");
  const Prediction half = Predict(PrepareWork(graph, {"bf16", 16}, EngineKind::kEager), profile, 1);
  EXPECT_EQ(half.problem, "has no bf16; it has fp32");
}

TEST_F(PredictionTest, EnergyHasThreeTerms) {
  const model::Graph graph =
      GraphOf("(float[1024,1024] a, float[1024,1024] b) => (float[A,B] y) { y = MatMul(a, b) }");
  const Prediction prediction = Predict(PrepareWork(graph, kFp32, EngineKind::kCompiled), Cpu(), 1);
  ASSERT_TRUE(prediction.energy.has_value());
  EXPECT_NEAR(prediction.energy->compute, 2.0 * 1024 * 1024 * 1024 * 0.845e-12, 1e-9);
  EXPECT_NEAR(prediction.energy->memory, 3.0 * 4 * 1024 * 1024 * 162.5e-12, 1e-9);
  EXPECT_NEAR(prediction.energy->idle, 30 * prediction.latency_s, 1e-9);
}

TEST_F(PredictionTest, NeverPassesThePeaks) {
  const model::Graph graph = GraphOf(kBlock);
  const hardware::Profile profile = Cpu();
  for (const EngineKind kind : {EngineKind::kEager, EngineKind::kCompiled}) {
    for (const OperatorPrediction& op :
         Predict(PrepareWork(graph, kFp32, kind), profile, 1).operators) {
      EXPECT_LE(static_cast<double>(op.flops), op.peak_flops_per_s * op.time_s);
      EXPECT_LE(static_cast<double>(op.main_bytes), 100e9 * op.time_s);
      EXPECT_LE(op.utilization, 1);
    }
  }
}

TEST(AssumptionsTest, FlopEnergyFollowsTheNode) {
  EXPECT_DOUBLE_EQ(*EnergyOfFlop("fp32", 45), 2.3e-12);
  EXPECT_DOUBLE_EQ(*EnergyOfFlop("fp32", 7), 0.845e-12);
  EXPECT_DOUBLE_EQ(*EnergyOfFlop("fp32", 4), 0.845e-12);
  EXPECT_FALSE(EnergyOfFlop("fp12", 7).has_value());
}

}  // namespace
}  // namespace assay::predict
