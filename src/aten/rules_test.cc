// One test for each lowering rule: a node in, the calls out.
#include <gmock/gmock.h>

#include <limits>

#include "aten/constants.h"
#include "aten/test_graph.h"

namespace assay::aten {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using Numbers = std::vector<std::int64_t>;
using Texts = std::vector<std::string>;

const tensor::Shape kImage = {1, 4, 8, 8};

/// The calls for one node on an image and further operands that `operands` adds.
template <typename Operands>
Texts Lowered(const std::string& op, const Attributes& attributes, const tensor::Shape& shape,
              Operands operands) {
  TestGraph graph;
  Inputs inputs = {graph.Input(kImage)};
  for (const model::ValueId id : operands(graph)) {
    inputs.push_back(id);
  }
  graph.Output(graph.Node(op, inputs, shape, attributes));
  return graph.Calls();
}

Texts Lowered(const std::string& op, const Attributes& attributes = {},
              const tensor::Shape& shape = kImage) {
  return Lowered(op, attributes, shape, [](TestGraph&) { return Inputs{}; });
}

Texts Conv(const Attributes& attributes, const tensor::Shape& shape = kImage) {
  return Lowered("Conv", attributes, shape, [](TestGraph& graph) {
    return Inputs{graph.Weight("w", {4, 4, 3, 3}), graph.Weight("b", {4})};
  });
}

TEST(ConvolutionRuleTest, LeavesOutTrailingDefaults) {
  EXPECT_THAT(Conv({{"pads", Numbers{1, 1, 1, 1}}}),
              ElementsAre("conv2d(x0, w, b, [1, 1], [1, 1]) -> %3"));
  EXPECT_THAT(Conv({}), ElementsAre("conv2d(x0, w, b) -> %3"));
}

TEST(ConvolutionRuleTest, PassesStridesDilationsAndGroups) {
  EXPECT_THAT(
      Conv({{"strides", Numbers{2, 1}}, {"dilations", Numbers{1, 2}}, {"group", std::int64_t{2}}}),
      ElementsAre("conv2d(x0, w, b, [2, 1], [0, 0], [1, 2], 2) -> %3"));
}

TEST(ConvolutionRuleTest, PadsBeforehandWhenTheEndsDiffer) {
  EXPECT_THAT(Conv({{"pads", Numbers{0, 1, 1, 1}}}),
              ElementsAre("constant_pad_nd(x0, [0, 0, 0, 1], 0.0) -> %1",
                          "conv2d(%1, w, b, [1, 1], [0, 1]) -> %4"));
}

TEST(ConvolutionRuleTest, ComputesSamePadding) {
  EXPECT_THAT(Conv({{"auto_pad", std::string("SAME_UPPER")}}),
              ElementsAre("conv2d(x0, w, b, [1, 1], [1, 1]) -> %3"));
  EXPECT_THAT(Conv({{"auto_pad", std::string("SAME_UPPER")}, {"strides", Numbers{2, 2}}}),
              ElementsAre("constant_pad_nd(x0, [0, 1, 0, 1], 0.0) -> %1",
                          "conv2d(%1, w, b, [2, 2]) -> %4"));
  EXPECT_THAT(Conv({{"auto_pad", std::string("SAME_LOWER")}, {"strides", Numbers{2, 2}}}),
              ElementsAre("constant_pad_nd(x0, [1, 0, 1, 0], 0.0) -> %1",
                          "conv2d(%1, w, b, [2, 2]) -> %4"));
}

TEST(ConvolutionRuleTest, PadsWithConstantsAndByReflection) {
  const auto amounts = [](TestGraph& graph) {
    return Inputs{graph.Ints({0, 0, 1, 2, 0, 0, 3, 4}), graph.Number(0.5F)};
  };
  EXPECT_THAT(Lowered("Pad", {}, kImage, amounts),
              ElementsAre("constant_pad_nd(x0, [2, 4, 1, 3], 0.5) -> %1"));
  EXPECT_THAT(Lowered("Pad", {{"mode", std::string("edge")}}, kImage, amounts),
              ElementsAre("pad(x0, [2, 4, 1, 3], 'replicate') -> %1"));
}

TEST(PoolingRuleTest, LowersMaxPoolWithPyTorchsPadding) {
  EXPECT_THAT(Lowered("MaxPool", {{"kernel_shape", Numbers{3, 3}},
                                  {"strides", Numbers{2, 2}},
                                  {"pads", Numbers{1, 1, 1, 1}}}),
              ElementsAre("max_pool2d(x0, [3, 3], [2, 2], [1, 1]) -> %1"));
}

TEST(PoolingRuleTest, WritesTheStrideWhereDefaultsDiffer) {
  EXPECT_THAT(Lowered("MaxPool", {{"kernel_shape", Numbers{2, 2}}}),
              ElementsAre("max_pool2d(x0, [2, 2], [1, 1]) -> %1"));
}

TEST(PoolingRuleTest, PadsMaxPoolBeforehandBeyondHalfAKernel) {
  EXPECT_THAT(Lowered("MaxPool", {{"kernel_shape", Numbers{2, 2}}, {"pads", Numbers{2, 1, 2, 1}}}),
              ElementsAre("constant_pad_nd(x0, [0, 0, 2, 2], null) -> %1",
                          "max_pool2d(%1, [2, 2], [1, 1], [0, 1]) -> %2"));
}

TEST(PoolingRuleTest, LeavesPaddingOutOfAverages) {
  EXPECT_THAT(
      Lowered("AveragePool", {{"kernel_shape", Numbers{3, 3}}, {"pads", Numbers{1, 1, 1, 1}}}),
      ElementsAre("avg_pool2d(x0, [3, 3], [1, 1], [1, 1], false, false) -> %1"));
  EXPECT_THAT(Lowered("AveragePool", {{"kernel_shape", Numbers{2, 2}}, {"strides", Numbers{2, 2}}}),
              ElementsAre("avg_pool2d(x0, [2, 2], [2, 2]) -> %1"));
}

TEST(PoolingRuleTest, LowersGlobalAveragePool) {
  EXPECT_THAT(Lowered("GlobalAveragePool", {}, {1, 4, 1, 1}),
              ElementsAre("adaptive_avg_pool2d(x0, [1, 1]) -> %1"));
}

TEST(NormalisationRuleTest, KeepsBatchNormUnfusedWithPyTorchsMomentum) {
  const auto statistics = [](TestGraph& graph) {
    return Inputs{graph.Weight("w", {4}), graph.Weight("b", {4}), graph.Weight("mean", {4}),
                  graph.Weight("var", {4})};
  };
  EXPECT_THAT(Lowered("BatchNormalization",
                      {{"epsilon", double{1e-5F}}, {"momentum", double{0.9F}}}, kImage, statistics),
              ElementsAre("batch_norm(x0, w, b, mean, var, false, 0.1, 1e-05, true) -> %5"));
}

TEST(NormalisationRuleTest, NormalisesTheDimensionsFromTheAxisOn) {
  const auto affine = [](TestGraph& graph) {
    return Inputs{graph.Weight("w", {8}), graph.Weight("b", {8})};
  };
  EXPECT_THAT(Lowered("LayerNormalization", {{"epsilon", double{1e-6F}}}, kImage, affine),
              ElementsAre("layer_norm(x0, [8], w, b, 1e-06) -> %3"));
  EXPECT_THAT(Lowered("LayerNormalization", {{"axis", std::int64_t{2}}}),
              ElementsAre("layer_norm(x0, [8, 8]) -> %1"));
}

TEST(NormalisationRuleTest, TakesTheStatisticsWhereTheyAreRead) {
  TestGraph graph;
  const auto parts = graph.Node("LayerNormalization", {graph.Input(kImage), graph.Weight("w", {8})},
                                std::vector<tensor::Shape>{kImage, {1, 4, 8, 1}});
  graph.Output(parts[0]);
  graph.Output(parts[1]);
  EXPECT_THAT(graph.Calls(),
              ElementsAre("native_layer_norm(x0, [8], w, None, 1e-05) -> %2, %3, %4"));
}

TEST(ActivationRuleTest, LowersActivationsByName) {
  EXPECT_THAT(Lowered("HardSwish"), ElementsAre("hardswish(x0) -> %1"));
  EXPECT_THAT(Lowered("LeakyRelu", {{"alpha", double{0.1F}}}),
              ElementsAre("leaky_relu(x0, 0.1) -> %1"));
  EXPECT_THAT(Lowered("HardSigmoid", {{"alpha", 1.0 / 6}}), ElementsAre("hardsigmoid(x0) -> %1"));
  EXPECT_THAT(Lowered("HardSigmoid"),
              ElementsAre("mul.Scalar(x0, 0.2) -> %1", "add.Scalar(%1, 0.5) -> %2",
                          "clamp(%2, 0.0, 1.0) -> %3"));
  EXPECT_THAT(Lowered("Elu", {{"alpha", 0.5}}), ElementsAre("elu(x0, 0.5) -> %1"));
  EXPECT_THAT(Lowered("Selu"), ElementsAre("selu(x0) -> %1"));
  EXPECT_THAT(Lowered("ThresholdedRelu"), ElementsAre("threshold(x0, 1.0, 0.0) -> %1"));
  EXPECT_THAT(Lowered("Gelu"), ElementsAre("gelu(x0) -> %1"));
  EXPECT_THAT(Lowered("Gelu", {{"approximate", std::string("tanh")}}),
              ElementsAre("gelu(x0, 'tanh') -> %1"));
  EXPECT_THAT(Lowered("Softmax"), ElementsAre("softmax.int(x0, -1) -> %1"));
  EXPECT_THAT(Lowered("Dropout"), ElementsAre("dropout(x0, 0.5, false) -> %1"));
}

TEST(ActivationRuleTest, LowersClipFromZeroToSixAsHardtanh) {
  EXPECT_THAT(
      Lowered("Clip", {}, kImage,
              [](TestGraph& graph) { return Inputs{graph.Number(0.0F), graph.Number(6.0F)}; }),
      ElementsAre("hardtanh(x0, 0.0, 6.0) -> %1"));
  EXPECT_THAT(Lowered("Clip", {}, kImage,
                      [](TestGraph& graph) { return Inputs{model::kNone, graph.Number(1.0F)}; }),
              ElementsAre("clamp(x0, None, 1.0) -> %1"));
}

TEST(ArithmeticRuleTest, KeepsTheLimitsOfIntegers) {
  TestGraph graph;
  const auto x = graph.Input({2}, tensor::DType::kInt64);
  const auto most = graph.Int(std::numeric_limits<std::int64_t>::max());
  const auto y = graph.Node("Add", {x, most}, tensor::Shape{2});
  graph.Output(y);
  EXPECT_THAT(graph.Calls(), ElementsAre("add.Scalar(x0, 9223372036854775807) -> %1"));
}

TEST(ArithmeticRuleTest, PassesConstantsAsScalars) {
  const auto half = [](TestGraph& graph) { return Inputs{graph.Number(0.5F)}; };
  EXPECT_THAT(Lowered("Add", {}, kImage, half), ElementsAre("add.Scalar(x0, 0.5) -> %1"));
  EXPECT_THAT(Lowered("Div", {}, kImage, half), ElementsAre("div.Scalar(x0, 0.5) -> %1"));
  EXPECT_THAT(Lowered("Pow", {}, kImage, half), ElementsAre("pow.Tensor_Scalar(x0, 0.5) -> %1"));
}

TEST(ArithmeticRuleTest, LowersANumberMinusOrOverATensor) {
  TestGraph graph;
  const auto x = graph.Input(kImage);
  const auto y = graph.Node("Sub", {graph.Number(1.0F), x}, kImage);
  graph.Output(graph.Node("Div", {graph.Number(2.0F), y}, kImage));
  EXPECT_THAT(graph.Calls(), ElementsAre("rsub.Scalar(x0, 1.0) -> %1", "reciprocal(%1) -> %2",
                                         "mul.Scalar(%2, 2.0) -> %3"));
}

TEST(ArithmeticRuleTest, KeepsAWeightOfOneElementATensor) {
  EXPECT_THAT(Lowered("Mul", {}, kImage,
                      [](TestGraph& graph) {
                        const auto id = graph.Weight("scale", {});
                        auto& values = graph.graph().values;
                        values[static_cast<std::size_t>(id)].constant =
                            *values[static_cast<std::size_t>(graph.Number(2.0F))].constant;
                        return Inputs{id};
                      }),
              ElementsAre("mul.Tensor(x0, scale) -> %2"));
}

TEST(ArithmeticRuleTest, DividesIntegersTowardsZero) {
  TestGraph graph;
  const auto a = graph.Input({4}, tensor::DType::kInt64);
  const auto b = graph.Input({4}, tensor::DType::kInt64);
  graph.Output(graph.Node("Div", {a, b}, tensor::Shape{4}));
  EXPECT_THAT(graph.Calls(), ElementsAre("div.Tensor_mode(x0, x1, 'trunc') -> %2"));
}

TEST(ArithmeticRuleTest, LowersFunctionsComparisonsAndCasts) {
  EXPECT_THAT(Lowered("Erf"), ElementsAre("erf(x0) -> %1"));
  EXPECT_THAT(Lowered("Not"), ElementsAre("logical_not(x0) -> %1"));
  EXPECT_THAT(Lowered("Cast"), ElementsAre("to.dtype(x0, float32) -> %1"));
  TestGraph graph;
  const auto a = graph.Input(kImage);
  const auto b = graph.Input(kImage);
  const auto less = graph.Node("Less", {a, b}, kImage);
  graph.Output(graph.Node("Where", {less, a, b}, kImage));
  EXPECT_THAT(graph.Calls(),
              ElementsAre("lt.Tensor(x0, x1) -> %2", "where.self(%2, x0, x1) -> %3"));
}

TEST(ArithmeticRuleTest, ReducesOverAxesFromOperandAttributeOrAll) {
  EXPECT_THAT(Lowered("ReduceMean", {{"keepdims", std::int64_t{0}}}, {1, 4},
                      [](TestGraph& graph) { return Inputs{graph.Ints({2, 3})}; }),
              ElementsAre("mean.dim(x0, [2, 3]) -> %1"));
  EXPECT_THAT(Lowered("ReduceMax", {{"axes", Numbers{1}}}),
              ElementsAre("amax(x0, [1], true) -> %1"));
  EXPECT_THAT(Lowered("ReduceSum"), ElementsAre("sum.dim_IntList(x0, [0, 1, 2, 3], true) -> %1"));
}

TEST(MatrixRuleTest, LowersGemmWithAWeightAsLinear) {
  TestGraph graph;
  const auto x = graph.Input({2, 8});
  const auto y = graph.Node("Gemm", {x, graph.Weight("a.weight", {4, 8}), graph.Weight("b", {4})},
                            tensor::Shape{2, 4}, {{"transB", std::int64_t{1}}});
  graph.Output(graph.Node("Gemm", {y, graph.Weight("c.weight", {4, 4})}, tensor::Shape{2, 4}));
  EXPECT_THAT(graph.Calls(), ElementsAre("linear(x0, a.weight, b) -> %3", "t(c.weight) -> %5",
                                         "linear(%3, %5) -> %6"));
}

TEST(MatrixRuleTest, LowersOtherGemmsAsAddmm) {
  TestGraph graph;
  const auto a = graph.Input({8, 2});
  const auto b = graph.Input({8, 4});
  graph.Output(graph.Node("Gemm", {a, b, graph.Weight("c", {4})}, tensor::Shape{2, 4},
                          {{"transA", std::int64_t{1}}, {"alpha", 0.5}}));
  EXPECT_THAT(graph.Calls(), ElementsAre("t(x0) -> %2", "addmm(c, %2, x1, 1.0, 0.5) -> %4"));
}

TEST(MatrixRuleTest, LowersMatMulOfTwoActivations) {
  TestGraph graph;
  const auto x = graph.Input({2, 8, 8});
  graph.Output(graph.Node("MatMul", {x, x}, tensor::Shape{2, 8, 8}));
  EXPECT_THAT(graph.Calls(), ElementsAre("matmul(x0, x0) -> %1"));
}

TEST(MatrixRuleTest, LowersTheStandardsAttention) {
  TestGraph graph;
  const tensor::Shape heads = {1, 4, 16, 8};
  const auto q = graph.Input(heads);
  const auto k = graph.Input({1, 2, 16, 8});
  graph.Output(graph.Node("Attention", {q, k, k}, heads, {{"is_causal", std::int64_t{1}}}));
  EXPECT_THAT(graph.Calls(),
              ElementsAre("scaled_dot_product_attention(x0, x1, x1, None, 0.0, true, None, true)"
                          " -> %2"));
}

TEST(MatrixRuleTest, RefusesAttentionOnPackedHeads) {
  TestGraph graph;
  const auto x = graph.Input({1, 16, 32});
  graph.Output(graph.Node("Attention", {x, x, x}, tensor::Shape{1, 16, 32},
                          {{"q_num_heads", std::int64_t{4}}}));
  EXPECT_THAT(graph.Calls()[0], HasSubstr("[batch, heads, length, width]"));
}

TEST(ShapeRuleTest, ReshapesToTheStaticShape) {
  const auto shape = [](TestGraph& graph) { return Inputs{graph.Ints({0, -1})}; };
  EXPECT_THAT(Lowered("Reshape", {}, {1, 256}, shape), ElementsAre("reshape(x0, [1, 256]) -> %1"));
  EXPECT_THAT(Lowered("Flatten", {}, {1, 256}), ElementsAre("flatten.using_ints(x0, 1) -> %1"));
  EXPECT_THAT(Lowered("Flatten", {{"axis", std::int64_t{2}}}, {4, 64}),
              ElementsAre("reshape(x0, [4, 64]) -> %1"));
  EXPECT_THAT(Lowered("Transpose", {{"perm", Numbers{0, 2, 3, 1}}}, {1, 8, 8, 4}),
              ElementsAre("permute(x0, [0, 2, 3, 1]) -> %1"));
  EXPECT_THAT(Lowered("Expand", {}, {2, 4, 8, 8}, shape),
              ElementsAre("expand(x0, [2, 4, 8, 8]) -> %1"));
}

TEST(ShapeRuleTest, SqueezesAndUnsqueezes) {
  const auto axes = [](Numbers numbers) {
    return [numbers](TestGraph& graph) { return Inputs{graph.Ints(numbers)}; };
  };
  EXPECT_THAT(Lowered("Unsqueeze", {}, {1, 1, 4, 8, 8, 1}, axes({-1, 0})),
              ElementsAre("unsqueeze(x0, 0) -> %1", "unsqueeze(%1, 5) -> %2"));
  EXPECT_THAT(Lowered("Squeeze", {}, {4, 8, 8}, axes({0})),
              ElementsAre("squeeze.dim(x0, 0) -> %1"));
  EXPECT_THAT(Lowered("Squeeze", {}, {4, 8, 8}), ElementsAre("squeeze(x0) -> %1"));
}

TEST(ShapeRuleTest, SplitsIntoViews) {
  TestGraph graph;
  const auto parts = graph.Node("Split", {graph.Input(kImage)},
                                std::vector<tensor::Shape>{{1, 1, 8, 8}, {1, 3, 8, 8}},
                                {{"axis", std::int64_t{1}}});
  graph.Output(graph.Node("Concat", {parts[1], parts[0]}, kImage, {{"axis", std::int64_t{1}}}));
  EXPECT_THAT(graph.Calls(),
              ElementsAre("split_with_sizes(x0, [1, 3], 1) -> %1, %2", "cat((%2, %1), 1) -> %3"));
}

TEST(ShapeRuleTest, SlicesAxisByAxis) {
  EXPECT_THAT(Lowered("Slice", {}, {1, 2, 4, 8},
                      [](TestGraph& graph) {
                        return Inputs{graph.Ints({0, 1}), graph.Ints({2, 8}), graph.Ints({1, 2}),
                                      graph.Ints({1, 2})};
                      }),
              ElementsAre("slice.Tensor(x0, 1, 0, 2) -> %1", "slice.Tensor(%1, 2, 1, 8, 2) -> %2"));
}

TEST(ShapeRuleTest, GathersOneOrSeveralIndices) {
  const Attributes axis = {{"axis", std::int64_t{1}}};
  EXPECT_THAT(
      Lowered("Gather", axis, {1, 8, 8}, [](TestGraph& graph) { return Inputs{graph.Int(0)}; }),
      ElementsAre("select.int(x0, 1, 0) -> %1"));
  EXPECT_THAT(Lowered("Gather", axis, {1, 2, 8, 8},
                      [](TestGraph& graph) { return Inputs{graph.Ints({0, -1})}; }),
              ElementsAre("index_select(x0, 1, c0) -> %2"));
}

TEST(ShapeRuleTest, GathersFromAMatrixAsAnEmbedding) {
  TestGraph graph;
  const auto ids = graph.Input({1, 16}, tensor::DType::kInt64);
  graph.Output(
      graph.Node("Gather", {graph.Weight("word.weight", {100, 8}), ids}, tensor::Shape{1, 16, 8}));
  EXPECT_THAT(graph.Calls(), ElementsAre("embedding(word.weight, x0) -> %2"));
}

TEST(ConstantsTest, ReadsTheDecimalThatAFloatWasWrittenAs) {
  EXPECT_EQ(Decimal(double{1e-5F}), 1e-5);
  EXPECT_EQ(Decimal(double{0.1F}), 0.1);
  EXPECT_EQ(Decimal(-6.0), -6.0);
}

}  // namespace
}  // namespace assay::aten
