// The lowering as a whole: storage, last uses, errors. The rules' tests are in rules_test.cc.
#include "aten/lower.h"

#include <gmock/gmock.h>

#include "aten/test_graph.h"

namespace assay::aten {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

const tensor::Shape kImage = {1, 4, 8, 8};

/// conv(x) with a 1x1 kernel.
model::ValueId Conv(TestGraph& graph, model::ValueId x, const std::string& name) {
  return graph.Node("Conv", {x, graph.Weight(name + ".weight", {4, 4, 1, 1})}, kImage);
}

TEST(InPlaceTest, OverwritesAValueAtItsLastUse) {
  TestGraph graph;
  graph.Output(graph.Node("Relu", {Conv(graph, graph.Input(kImage), "conv")}, kImage));
  EXPECT_THAT(graph.Calls(), ElementsAre("conv2d(x0, conv.weight) -> %2", "relu_(%2) -> %3"));
}

TEST(InPlaceTest, LeavesTheGraphsInputsAlone) {
  TestGraph graph;
  graph.Output(graph.Node("Relu", {graph.Input(kImage)}, kImage));
  EXPECT_THAT(graph.Calls(), ElementsAre("relu(x0) -> %1"));
}

TEST(InPlaceTest, LeavesAViewOfAnInputAlone) {
  TestGraph graph;
  const auto flat = graph.Node("Flatten", {graph.Input(kImage)}, tensor::Shape{1, 256});
  graph.Output(graph.Node("Relu", {flat}, tensor::Shape{1, 256}));
  EXPECT_THAT(graph.Calls(), ElementsAre("flatten.using_ints(x0, 1) -> %1", "relu(%1) -> %2"));
}

TEST(InPlaceTest, LeavesAWeightAlone) {
  TestGraph graph;
  graph.Output(graph.Node("Relu", {graph.Weight("w", kImage)}, kImage));
  EXPECT_THAT(graph.Calls(), ElementsAre("relu(w) -> %1"));
}

TEST(InPlaceTest, LeavesAValueAloneThatIsReadLater) {
  TestGraph graph;
  const auto y = Conv(graph, graph.Input(kImage), "conv");
  const auto z = graph.Node("Relu", {y}, kImage);
  graph.Output(graph.Node("Mul", {z, y}, kImage));
  EXPECT_THAT(graph.Calls(), ElementsAre("conv2d(x0, conv.weight) -> %2", "relu(%2) -> %3",
                                         "mul.Tensor(%3, %2) -> %4"));
}

TEST(InPlaceTest, LeavesAValueAloneWhoseViewIsReadLater) {
  TestGraph graph;
  const auto y = Conv(graph, graph.Input(kImage), "conv");
  const auto flat = graph.Node("Flatten", {y}, tensor::Shape{1, 256});
  const auto z = graph.Node("Relu", {y}, kImage);
  const auto also = graph.Node("Flatten", {z}, tensor::Shape{1, 256});
  graph.Output(graph.Node("Mul", {flat, also}, tensor::Shape{1, 256}));
  EXPECT_EQ(graph.Calls()[2], "relu(%2) -> %4");
}

TEST(InPlaceTest, LeavesAnOutputAlone) {
  TestGraph graph;
  const auto y = Conv(graph, graph.Input(kImage), "conv");
  graph.Output(graph.Node("Relu", {y}, kImage));
  graph.Output(y);
  EXPECT_EQ(graph.Calls()[1], "relu(%2) -> %3");
}

TEST(InPlaceTest, LeavesAnExpandedValueAlone) {
  TestGraph graph;
  const auto y = Conv(graph, graph.Input(kImage), "conv");
  const auto wide = graph.Node("Expand", {y, graph.Ints({2, 4, 8, 8})}, tensor::Shape{2, 4, 8, 8});
  graph.Output(graph.Node("Relu", {wide}, tensor::Shape{2, 4, 8, 8}));
  EXPECT_EQ(graph.Calls()[2], "relu(%3) -> %4");
}

TEST(InPlaceTest, AddsAnIdentityToABranchInPlace) {
  TestGraph graph;
  const auto x = graph.Node("Relu", {Conv(graph, graph.Input(kImage), "stem")}, kImage);
  graph.Output(graph.Node("Add", {Conv(graph, x, "branch"), x}, kImage));
  EXPECT_EQ(graph.Calls()[3], "add_.Tensor(%5, %3) -> %6");
}

TEST(InPlaceTest, AddsAProjectionThatIsComputedAfterTheBranchInPlace) {
  TestGraph graph;
  const auto x = graph.Node("Relu", {Conv(graph, graph.Input(kImage), "stem")}, kImage);
  const auto branch = Conv(graph, x, "branch");
  graph.Output(graph.Node("Add", {branch, Conv(graph, x, "project")}, kImage));
  EXPECT_EQ(graph.Calls()[4], "add_.Tensor(%5, %7) -> %8");
}

TEST(InPlaceTest, AddsABranchToItsOwnInputInANewTensor) {
  TestGraph graph;
  const auto x = Conv(graph, graph.Input(kImage), "stem");
  graph.Output(graph.Node("Add", {x, Conv(graph, x, "branch")}, kImage));
  EXPECT_EQ(graph.Calls()[2], "add.Tensor(%2, %4) -> %5");
}

TEST(InPlaceTest, AddsAnIdentityToAScaledBranchInPlace) {
  TestGraph graph;
  const auto x = Conv(graph, graph.Input(kImage), "stem");
  const auto scale = graph.Weight("scale", {4, 1, 1});
  const auto scaled = graph.Node("Mul", {scale, Conv(graph, x, "branch")}, kImage);
  graph.Output(graph.Node("Add", {scaled, x}, kImage));
  EXPECT_EQ(graph.Calls()[2], "mul.Tensor(scale, %4) -> %6");
  EXPECT_EQ(graph.Calls()[3], "add_.Tensor(%6, %2) -> %7");
}

TEST(InPlaceTest, NeverAddsInPlaceWhenTheResultIsLarger) {
  TestGraph graph;
  const auto x = graph.Input(kImage);
  const auto y =
      graph.Node("Conv", {x, graph.Weight("w", {1, 4, 1, 1})}, tensor::Shape{1, 1, 8, 8});
  graph.Output(graph.Node("Add", {y, x}, kImage));
  EXPECT_EQ(graph.Calls()[1], "add.Tensor(%2, x0) -> %3");
}

TEST(LastUseTest, FreesEachValueOnceAndNeitherInputsNorOutputs) {
  TestGraph graph;
  const auto y = Conv(graph, graph.Input(kImage), "conv");
  const auto z = graph.Node("Sigmoid", {y}, kImage);
  graph.Output(graph.Node("Mul", {z, z}, kImage));
  const auto program = Lower(graph.graph());
  ASSERT_TRUE(program.ok()) << program.error().message;
  EXPECT_THAT(program->calls[0].frees, ElementsAre());
  EXPECT_THAT(program->calls[1].frees, ElementsAre(2));
  EXPECT_THAT(program->calls[2].frees, ElementsAre(3));
}

TEST(LowerTest, NamesOperatorAndNodeThatItDoesNotKnow) {
  TestGraph graph;
  graph.Output(graph.Node("NonMaxSuppression", {graph.Input(kImage)}, kImage));
  const auto program = Lower(graph.graph());
  ASSERT_FALSE(program.ok());
  EXPECT_EQ(program.error().code, Code::kUnsupported);
  EXPECT_THAT(program.error().message, HasSubstr("NonMaxSuppression (node 'node0')"));
}

TEST(LowerTest, RefusesAnOperatorOfAForeignDomain) {
  TestGraph graph;
  graph.Output(graph.Node("Gelu", {graph.Input(kImage)}, kImage));
  graph.last_node().domain = "com.microsoft";
  EXPECT_THAT(graph.Calls()[0], HasSubstr("com.microsoft.Gelu"));
}

TEST(LowerTest, RefusesAnOutputThatPyTorchHasNot) {
  TestGraph graph;
  const auto parts =
      graph.Node("Dropout", {graph.Input(kImage)}, std::vector<tensor::Shape>{kImage, kImage});
  graph.Output(parts[0]);
  graph.Output(parts[1]);
  EXPECT_THAT(graph.Calls()[0], HasSubstr("has no counterpart"));
}

TEST(LowerTest, PassesAnInputThrough) {
  TestGraph graph;
  graph.Output(graph.Node("Identity", {graph.Input(kImage)}, kImage));
  const auto program = Lower(graph.graph());
  ASSERT_TRUE(program.ok()) << program.error().message;
  EXPECT_TRUE(program->calls.empty());
  EXPECT_EQ(program->outputs[0].id, program->inputs[0].id);
}

}  // namespace
}  // namespace assay::aten
