#include "aten/fuse.h"

#include <gmock/gmock.h>

#include "aten/test_graph.h"

namespace assay::aten {
namespace {

using model::ValueId;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using Numbers = std::vector<std::int64_t>;

const tensor::Shape kTokens = {1, 16, 8};

// ---- linear

TEST(FuseLinearTest, TakesTransposeMatMulAndBias) {
  TestGraph graph;
  const auto weight = graph.Weight("fc.weight", {4, 8});
  const auto turned =
      graph.Node("Transpose", {weight}, tensor::Shape{8, 4}, {{"perm", Numbers{1, 0}}});
  const auto product =
      graph.Node("MatMul", {graph.Input(kTokens), turned}, tensor::Shape{1, 16, 4});
  graph.Output(graph.Node("Add", {graph.Weight("fc.bias", {4}), product}, tensor::Shape{1, 16, 4}));
  EXPECT_THAT(graph.Calls(), ElementsAre("linear(x0, fc.weight, fc.bias) -> %3"));
}

TEST(FuseLinearTest, TurnsAWeightThatIsStoredTheOtherWayRound) {
  TestGraph graph;
  graph.Output(graph.Node("MatMul", {graph.Input(kTokens), graph.Weight("fc.weight", {8, 4})},
                          tensor::Shape{1, 16, 4}));
  EXPECT_THAT(graph.Calls(), ElementsAre("t(fc.weight) -> %2", "linear(x0, %2) -> %3"));
}

TEST(FuseLinearTest, LeavesASumThatIsNoBiasApart) {
  TestGraph graph;
  const auto x = graph.Input(kTokens);
  const auto product = graph.Node("MatMul", {x, graph.Weight("fc.weight", {8, 8})}, kTokens);
  graph.Output(graph.Node("Add", {product, x}, kTokens));
  EXPECT_THAT(graph.Calls(), Contains("add.Tensor(%3, x0) -> %4"));
}

// ---- GELU

struct Gelu {
  TestGraph graph;
  ValueId x = graph.Input(kTokens);
  ValueId sum = -1;  // 1 + erf(x / sqrt(2))

  Gelu() {
    const auto scaled = graph.Node("Div", {x, graph.Number(1.41421354F)}, kTokens);
    const auto erf = graph.Node("Erf", {scaled}, kTokens);
    sum = graph.Node("Add", {erf, graph.Number(1.0F)}, kTokens);
  }
};

TEST(FuseGeluTest, TakesTheProductInAnyOrder) {
  Gelu half_last;
  const auto product = half_last.graph.Node("Mul", {half_last.x, half_last.sum}, kTokens);
  half_last.graph.Output(
      half_last.graph.Node("Mul", {product, half_last.graph.Number(0.5F)}, kTokens));
  EXPECT_THAT(half_last.graph.Calls(), ElementsAre("gelu(x0) -> %1"));

  Gelu half_first;
  const auto half =
      half_first.graph.Node("Mul", {half_first.graph.Number(0.5F), half_first.x}, kTokens);
  half_first.graph.Output(half_first.graph.Node("Mul", {half, half_first.sum}, kTokens));
  EXPECT_THAT(half_first.graph.Calls(), ElementsAre("gelu(x0) -> %1"));
}

TEST(FuseGeluTest, LeavesAnotherFactorApart) {
  Gelu gelu;
  const auto product = gelu.graph.Node("Mul", {gelu.x, gelu.sum}, kTokens);
  gelu.graph.Output(gelu.graph.Node("Mul", {product, gelu.graph.Number(0.7F)}, kTokens));
  EXPECT_THAT(gelu.graph.Calls(), Contains(HasSubstr("erf")));
}

// ---- swish

TEST(FuseSwishTest, TakesGatesOfTheirOwnInput) {
  TestGraph graph;
  const auto x = graph.Input(kTokens);
  const auto y = graph.Node("Mul", {x, graph.Node("Sigmoid", {x}, kTokens)}, kTokens);
  const auto gate = graph.Node("HardSigmoid", {y}, kTokens, {{"alpha", 1.0 / 6}});
  graph.Output(graph.Node("Mul", {gate, y}, kTokens));
  EXPECT_THAT(graph.Calls(), ElementsAre("silu(x0) -> %1", "hardswish_(%1) -> %2"));
}

TEST(FuseSwishTest, LeavesAGateOfAnotherValueApart) {
  TestGraph graph;
  const auto gate = graph.Node("Sigmoid", {graph.Input(kTokens)}, kTokens);
  graph.Output(graph.Node("Mul", {graph.Input(kTokens), gate}, kTokens));
  EXPECT_THAT(graph.Calls(), ElementsAre("sigmoid(x0) -> %2", "mul.Tensor(x1, %2) -> %3"));
}

// ---- layer norm

TEST(FuseLayerNormTest, TakesTheDecomposition) {
  TestGraph graph;
  const auto x = graph.Input(kTokens);
  const tensor::Shape column = {1, 16, 1};
  const Attributes last = {{"axes", Numbers{-1}}};
  const auto centred = graph.Node("Sub", {x, graph.Node("ReduceMean", {x}, column, last)}, kTokens);
  const auto square = graph.Node("Pow", {centred, graph.Number(2.0F)}, kTokens);
  const auto variance = graph.Node("ReduceMean", {square}, column, last);
  const auto stable = graph.Node("Add", {variance, graph.Number(1e-5F)}, column);
  const auto root = graph.Node("Sqrt", {stable}, column);
  const auto normal = graph.Node("Div", {centred, root}, kTokens);
  const auto scaled = graph.Node("Mul", {normal, graph.Weight("ln.weight", {8})}, kTokens);
  graph.Output(graph.Node("Add", {scaled, graph.Weight("ln.bias", {8})}, kTokens));
  EXPECT_THAT(graph.Calls(), ElementsAre("layer_norm(x0, [8], ln.weight, ln.bias) -> %3"));
}

// ---- attention

struct Attention {
  TestGraph graph;
  tensor::Shape heads = {1, 2, 16, 4};
  tensor::Shape square = {1, 2, 16, 16};
  ValueId q = graph.Input(heads);
  ValueId k = graph.Input(heads);
  ValueId v = graph.Input(heads);

  ValueId TurnedKey() {
    return graph.Node("Transpose", {k}, tensor::Shape{1, 2, 4, 16},
                      {{"perm", Numbers{0, 1, 3, 2}}});
  }
  ValueId Scaled(ValueId x, const tensor::Shape& shape, float factor) {
    return graph.Node("Mul", {x, graph.Number(factor)}, shape);
  }
  std::vector<std::string> Finish(ValueId scores) {
    const auto weights = graph.Node("Softmax", {scores}, square);
    graph.Output(graph.Node("MatMul", {weights, v}, heads));
    return graph.Calls();
  }
};

TEST(FuseAttentionTest, TakesTheUsualScaleAfterTheProduct) {
  Attention a;
  const auto product = a.graph.Node("MatMul", {a.q, a.TurnedKey()}, a.square);
  EXPECT_THAT(a.Finish(a.Scaled(product, a.square, 0.5F)),
              ElementsAre("scaled_dot_product_attention(x0, x1, x2) -> %3"));
}

TEST(FuseAttentionTest, TakesTheScaleAsADivision) {
  Attention a;
  const auto product = a.graph.Node("MatMul", {a.q, a.TurnedKey()}, a.square);
  EXPECT_THAT(a.Finish(a.graph.Node("Div", {product, a.graph.Number(2.0F)}, a.square)),
              ElementsAre("scaled_dot_product_attention(x0, x1, x2) -> %3"));
}

TEST(FuseAttentionTest, TakesTheScaleFromBothOperands) {
  Attention a;
  const float root = 0.70710677F;
  const auto q = a.Scaled(a.q, a.heads, root);
  const auto k = a.Scaled(a.TurnedKey(), {1, 2, 4, 16}, root);
  EXPECT_THAT(a.Finish(a.graph.Node("MatMul", {q, k}, a.square)),
              ElementsAre("scaled_dot_product_attention(x0, x1, x2) -> %3"));
}

TEST(FuseAttentionTest, PassesAMaskAndAnUnusualScale) {
  Attention a;
  const auto product = a.graph.Node("MatMul", {a.q, a.TurnedKey()}, a.square);
  const auto mask = a.graph.Input(a.square);
  EXPECT_THAT(a.Finish(a.graph.Node("Add", {product, mask}, a.square)),
              ElementsAre("scaled_dot_product_attention(x0, x1, x2, x3, 0.0, false, 1.0) -> %4"));
}

TEST(FuseAttentionTest, TurnsAKeyThatWasBuiltTransposed) {
  Attention a;
  const auto tokens = a.graph.Input({1, 16, 2, 4});
  const auto turned = a.graph.Node("Transpose", {tokens}, tensor::Shape{1, 2, 4, 16},
                                   {{"perm", Numbers{0, 2, 3, 1}}});
  const auto product = a.graph.Node("MatMul", {a.q, turned}, a.square);
  EXPECT_THAT(a.Finish(a.Scaled(product, a.square, 0.5F)),
              ElementsAre("permute(x3, [0, 2, 1, 3]) -> %4",
                          "scaled_dot_product_attention(x0, %4, x2) -> %5"));
}

TEST(FuseAttentionTest, LeavesScoresThatAreAnOutputApart) {
  Attention a;
  const auto product = a.graph.Node("MatMul", {a.q, a.TurnedKey()}, a.square);
  a.graph.Output(product);
  EXPECT_THAT(a.Finish(product), Contains(HasSubstr("softmax")));
}

TEST(FuseTest, DropsNodesThatNobodyReadsAndFoldedOnes) {
  TestGraph graph;
  const auto x = graph.Input(kTokens);
  graph.Node("Sigmoid", {x}, kTokens);
  const auto shape = graph.Node("Shape", {x}, tensor::Shape{3});
  graph.graph().values[static_cast<std::size_t>(shape)].constant =
      *graph.graph().values[static_cast<std::size_t>(graph.Ints({1, 16, 8}))].constant;
  graph.Output(graph.Node("Reshape", {x, shape}, kTokens));
  const model::Graph fused = Fuse(graph.graph());
  ASSERT_EQ(fused.nodes.size(), 1U);
  EXPECT_EQ(fused.nodes[0].op, "Reshape");
}

}  // namespace
}  // namespace assay::aten
