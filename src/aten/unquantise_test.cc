#include "aten/unquantise.h"

#include <gmock/gmock.h>

#include "aten/test_graph.h"

namespace assay::aten {
namespace {

using ::testing::ElementsAre;

/// x, quantised as `dtype` by steps of 0.5 from `zero` (nothing: left out), read again, and a
/// Sigmoid of that; its calls without quantisation.
std::vector<std::string> Calls(tensor::DType dtype, std::optional<std::uint8_t> zero) {
  TestGraph graph;
  const tensor::Shape shape = {2, 3};
  Inputs inputs = {graph.Input(shape), graph.Number(0.5F)};
  if (zero) {
    inputs.push_back(graph.Number(0));
    model::Value& point = graph.graph().values[static_cast<std::size_t>(inputs.back())];
    point.type.dtype = point.constant->type.dtype = dtype;
    point.constant->data = {static_cast<std::byte>(*zero)};
  }
  const auto quantised = graph.Node("QuantizeLinear", inputs, shape);
  graph.graph().values[static_cast<std::size_t>(quantised)].type.dtype = dtype;
  inputs[0] = quantised;
  graph.Output(graph.Node("Sigmoid", {graph.Node("DequantizeLinear", inputs, shape)}, shape));
  graph.graph() = WithoutQuantisation(graph.graph());
  return graph.Calls();
}

TEST(UnquantiseTest, LeavesOnlyTheLimitsBetweenWhatWasQuantisedAndItsReader) {
  EXPECT_THAT(Calls(tensor::DType::kUInt8, {}),
              ElementsAre("clamp(x0, 0.0, 127.5) -> %1", "sigmoid(%1) -> %2"));
}

TEST(UnquantiseTest, LimitsFollowTheZeroPoint) {
  EXPECT_THAT(Calls(tensor::DType::kUInt8, 128),
              ElementsAre("clamp(x0, -64.0, 63.5) -> %1", "sigmoid(%1) -> %2"));
  EXPECT_THAT(Calls(tensor::DType::kInt8, 0xfe),  // -2
              ElementsAre("clamp(x0, -63.0, 64.5) -> %1", "sigmoid(%1) -> %2"));
}

}  // namespace
}  // namespace assay::aten
