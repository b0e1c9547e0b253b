// The examples of docs/predicting.md, "Worked by hand", with the figures that stand there.
#include <gtest/gtest.h>

#include "hardware/profiles.h"
#include "model/testing.h"
#include "predict/prediction.h"

namespace assay::predict {
namespace {

constexpr Precision kFp32{"fp32", 32};

class WorkedExampleTest : public model::FolderTest {
 protected:
  /// weight  names the input that is an initializer, whose bytes nobody needs
  void Read(const std::string& text, const std::string& weight = "") {
    auto model = LoadText("agraph " + text);
    ASSERT_TRUE(model.ok()) << model.error().message;
    graph_ = std::move(model->graph);
    for (std::size_t v = 0; v < graph_.values.size(); ++v) {
      if (graph_.values[v].name == weight) {
        graph_.values[v].weight.emplace();
        std::erase(graph_.inputs, static_cast<model::ValueId>(v));
      }
    }
  }

  Prediction On(EngineKind kind) {
    work_ = PrepareWork(graph_, kFp32, kind);
    return Predict(work_, *hardware::FindProfile("i7-12700K"), 1);
  }

  model::Graph graph_;
  Work work_;
};

/// Three digits, as the text gives.
void ExpectAbout(double value, double written) { EXPECT_NEAR(value / written, 1, 5e-3); }

void ExpectEnergy(const Prediction& prediction, double compute_mj, double memory_mj,
                  double idle_mj) {
  ASSERT_TRUE(prediction.energy);
  EXPECT_NEAR(1e3 * prediction.energy->compute, compute_mj, 5e-4);
  EXPECT_NEAR(1e3 * prediction.energy->memory, memory_mj, 6e-3);
  EXPECT_NEAR(1e3 * prediction.energy->idle, idle_mj, 6e-2);
}

TEST_F(WorkedExampleTest, OneConvolution) {
  Read(
      "(float[1,64,56,56] x, float[64,64,3,3] w) => (float[A,B,C,D] y) "
      "{ c = Conv<pads=[1,1,1,1]>(x, w) y = Relu(c) }",
      "w");
  const Prediction prediction = On(EngineKind::kCompiled);
  ASSERT_EQ(prediction.operators.size(), 1u);
  const OperatorPrediction& op = prediction.operators[0];
  EXPECT_EQ(work_.groups[0].cost.macs, 115'605'504u);
  EXPECT_EQ(op.flops, 231'411'712u);
  EXPECT_EQ(op.cache_bytes, 1'753'088u);
  EXPECT_EQ(op.main_bytes, 0u);
  ExpectAbout(prediction.ridge(), 19.5);
  ExpectAbout(1e6 * op.compute_s, 196.3);
  ExpectAbout(1e6 * op.memory_s, 2.378);
  ExpectAbout(1e6 * prediction.latency_s, 197.3);
  EXPECT_EQ(prediction.bound, Bound::kCompute);
  EXPECT_EQ(prediction.peak_memory_bytes, 1'753'088u);
  ExpectEnergy(prediction, 0.237, 0.003, 7.40);
}

TEST_F(WorkedExampleTest, OneMatrixProduct) {
  Read("(float[1,4096] x, float[4096,4096] w) => (float[A,B] y) { y = MatMul(x, w) }", "w");
  const Prediction prediction = On(EngineKind::kCompiled);
  const OperatorPrediction& op = prediction.operators.at(0);
  EXPECT_EQ(work_.groups[0].cost.macs, 16'777'216u);
  EXPECT_EQ(op.main_bytes, 67'108'864u);
  EXPECT_EQ(op.cache_bytes, 32'768u);
  ExpectAbout(1e6 * op.compute_s, 31.3);
  ExpectAbout(1e6 * prediction.latency_s, 1093.3);
  EXPECT_EQ(prediction.bound, Bound::kMemory);
  ExpectEnergy(prediction, 0.034, 10.91, 41.0);
}

TEST_F(WorkedExampleTest, OneAttentionBlock) {
  Read(
      "(float[1,12,128,64] q, float[1,12,64,128] k, float[1,12,128,64] v) => "
      "(float[A,B,C,D] y) <float scale = {0.125}> "
      "{ s = MatMul(q, k) t = Mul(s, scale) p = Softmax(t) y = MatMul(p, v) }");
  const Prediction prediction = On(EngineKind::kCompiled);
  ASSERT_EQ(prediction.operators.size(), 1u);
  const OperatorPrediction& op = prediction.operators[0];
  EXPECT_EQ(work_.groups[0].cost.macs, 25'165'824u);
  EXPECT_EQ(op.flops, 52'887'552u);
  EXPECT_EQ(work_.groups[0].cost.read_bytes + work_.groups[0].cost.written_bytes, 1'572'864u);
  ExpectAbout(1e6 * op.compute_s, 46.9);
  ExpectAbout(1e6 * prediction.latency_s, 47.9);
  EXPECT_EQ(prediction.bound, Bound::kCompute);
  ExpectEnergy(prediction, 0.054, 0.003, 1.80);
  std::uint64_t eager_bytes = 0;
  for (const OperatorPrediction& each : On(EngineKind::kEager).operators) {
    eager_bytes += each.bytes();
  }
  EXPECT_NEAR(static_cast<double>(eager_bytes), 6'291'456.0, 4.0);  // and the scale itself
}

}  // namespace
}  // namespace assay::predict
