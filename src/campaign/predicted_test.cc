#include "campaign/predicted.h"

#include <gtest/gtest.h>

#include "predict/prediction.h"

namespace assay::campaign {
namespace {

hardware::Profile Machine() {
  const auto figure = [](double value) { return hardware::Figure{value, "ds", "read"}; };
  hardware::Profile profile;
  profile.name = "this";
  profile.kind = "cpu";
  profile.confidence = "measured here";
  profile.units = figure(4);
  profile.rates = {{.dtype = "fp32", .matrix = false, .per_s = figure(1e12), .units = {}},
                   {.dtype = "int8", .matrix = false, .per_s = figure(4e12), .units = {}}};
  profile.memory = {{"L2", 1e6, figure(1e12)}, {"DRAM", 1e9, figure(100e9)}};
  return profile;
}

/// y = x w, 256 by 256 by 256.
model::Graph Product() {
  model::Graph graph;
  for (const char* name : {"x", "w", "y"}) {
    model::Value& value = graph.values.emplace_back();
    value.name = name;
    value.type = {tensor::DType::kFloat32, {256, 256}};
  }
  model::Node& node = graph.nodes.emplace_back();
  node.name = "product";
  node.op = "MatMul";
  node.inputs = {0, 1};
  node.outputs = {2};
  graph.values[2].producer = 0;
  graph.inputs = {0, 1};
  graph.outputs = {2};
  return graph;
}

std::optional<record::Predicted> PredictedOf(const model::Graph& graph,
                                             const conversion::Recipe& recipe,
                                             const hardware::Profile& machine, int threads,
                                             double median_ms) {
  return Predictor(graph, machine, threads).Of(recipe, median_ms);
}

constexpr double kFlops = 2.0 * 256 * 256 * 256;

TEST(PredictedTest, SetsTheMeasurementBesideTheRoofline) {
  const auto predicted = PredictedOf(Product(), {.compiler = "onnxruntime"}, Machine(), 4, 0.5);
  ASSERT_TRUE(predicted);
  EXPECT_EQ(predicted->engine_kind, "compiled");
  EXPECT_EQ(predicted->precision, "fp32");
  EXPECT_EQ(predicted->confidence, "data sheet");
  EXPECT_EQ(predicted->bound, "compute");
  EXPECT_NEAR(predicted->roofline_ms, 1e3 * kFlops / 1e12, 1e-9);
  EXPECT_GT(predicted->latency_ms, predicted->roofline_ms);
  EXPECT_NEAR(predicted->ratio * predicted->latency_ms, 0.5, 1e-9);
  EXPECT_NEAR(predicted->roofline_share * 0.5, predicted->roofline_ms, 1e-9);
}

TEST(PredictedTest, CountsTheCoresThatTheArmUsed) {
  const auto four = PredictedOf(Product(), {.compiler = "onnxruntime"}, Machine(), 4, 1);
  const auto one = PredictedOf(Product(), {.compiler = "onnxruntime"}, Machine(), 1, 1);
  EXPECT_NEAR(one->roofline_ms, 4 * four->roofline_ms, 1e-9);
}

TEST(PredictedTest, EagerIsTheKindThatFusesNothing) {
  EXPECT_EQ(PredictedOf(Product(), {.compiler = "eager"}, Machine(), 4, 1)->engine_kind, "eager");
}

TEST(PredictedTest, OnlyIntegerKernelsAreHeldToIntegerPeaks) {
  const conversion::Recipe integer{
      .compiler = "onnxruntime", .quantisation = "static_int8", .weights = "int8"};
  const conversion::Recipe weights{
      .compiler = "eager", .quantisation = "quanto", .weights = "int8"};
  EXPECT_EQ(PredictedOf(Product(), integer, Machine(), 4, 1)->precision, "int8");
  EXPECT_EQ(PredictedOf(Product(), weights, Machine(), 4, 1)->precision, "fp32");
}

TEST(PredictedTest, PredictsNothingWithoutARate) {
  EXPECT_FALSE(PredictedOf(Product(), {.compiler = "eager", .precision = "bf16"}, Machine(), 4, 1));
}

}  // namespace
}  // namespace assay::campaign
