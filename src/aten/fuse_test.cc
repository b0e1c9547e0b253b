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

TEST(FuseGeluTest, TakesAnInputThatIsMultiplied) {  // torch.onnx with dynamo
  TestGraph graph;
  const auto x = graph.Input(kTokens);
  const auto scaled = graph.Node("Mul", {x, graph.Number(0.70710677F)}, kTokens);
  const auto erf = graph.Node("Erf", {scaled}, kTokens);
  const auto sum = graph.Node("Add", {graph.Number(1.0F), erf}, kTokens);
  const auto product = graph.Node("Mul", {x, sum}, kTokens);
  graph.Output(graph.Node("Mul", {graph.Number(0.5F), product}, kTokens));
  EXPECT_THAT(graph.Calls(), ElementsAre("gelu(x0) -> %1"));
}

/// 0.5 * x * (1 + tanh(scale * (x + 0.044715 * cube))).
std::vector<std::string> TanhGelu(TestGraph& graph, ValueId x, ValueId cube, float scale) {
  const auto cubed = graph.Node("Mul", {graph.Number(0.044715F), cube}, kTokens);
  const auto inner = graph.Node("Add", {x, cubed}, kTokens);
  const auto scaled = graph.Node("Mul", {graph.Number(scale), inner}, kTokens);
  const auto tanh = graph.Node("Tanh", {scaled}, kTokens);
  const auto sum = graph.Node("Add", {tanh, graph.Number(1.0F)}, kTokens);
  const auto product = graph.Node("Mul", {x, sum}, kTokens);
  graph.Output(graph.Node("Mul", {graph.Number(0.5F), product}, kTokens));
  return graph.Calls();
}

TEST(FuseGeluTest, TakesTheFormWithTanh) {
  TestGraph dynamo;
  const auto x = dynamo.Input(kTokens);
  const auto power = dynamo.Node("Pow", {x, dynamo.Number(3.0F)}, kTokens);
  EXPECT_THAT(TanhGelu(dynamo, x, power, 0.7978846F), ElementsAre("gelu(x0, 'tanh') -> %1"));

  TestGraph older;
  const auto y = older.Input(kTokens);
  const auto square = older.Node("Mul", {y, y}, kTokens);
  const auto cube = older.Node("Mul", {y, square}, kTokens);
  EXPECT_THAT(TanhGelu(older, y, cube, 0.7978846F), ElementsAre("gelu(x0, 'tanh') -> %1"));
}

TEST(FuseGeluTest, LeavesATanhOfAnotherScaleOrPowerApart) {
  TestGraph graph;
  const auto x = graph.Input(kTokens);
  const auto power = graph.Node("Pow", {x, graph.Number(3.0F)}, kTokens);
  EXPECT_THAT(TanhGelu(graph, x, power, 0.8F), Contains(HasSubstr("tanh(")));
  TestGraph squared;
  const auto y = squared.Input(kTokens);
  const auto square = squared.Node("Pow", {y, squared.Number(2.0F)}, kTokens);
  EXPECT_THAT(TanhGelu(squared, y, square, 0.7978846F), Contains(HasSubstr("tanh(")));
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

TEST(FuseSwishTest, TakesMish) {
  TestGraph graph;
  const auto x = graph.Input(kTokens);
  const auto gate = graph.Node("Tanh", {graph.Node("Softplus", {x}, kTokens)}, kTokens);
  graph.Output(graph.Node("Mul", {x, gate}, kTokens));
  EXPECT_THAT(graph.Calls(), ElementsAre("mish(x0) -> %1"));
}

TEST(FuseSwishTest, LeavesAHardSigmoidOfAnotherSlopeApart) {
  TestGraph graph;
  const auto x = graph.Input(kTokens);
  const auto gate = graph.Node("HardSigmoid", {x}, kTokens, {{"alpha", 0.2}});
  graph.Output(graph.Node("Mul", {x, gate}, kTokens));
  EXPECT_THAT(graph.Calls(), Contains("mul.Tensor(x0, %3) -> %4"));
}

TEST(FuseSwishTest, LeavesAGateOfAnotherValueApart) {
  TestGraph graph;
  const auto gate = graph.Node("Sigmoid", {graph.Input(kTokens)}, kTokens);
  graph.Output(graph.Node("Mul", {graph.Input(kTokens), gate}, kTokens));
  EXPECT_THAT(graph.Calls(), ElementsAre("sigmoid(x0) -> %2", "mul.Tensor(x1, %2) -> %3"));
}

// ---- layer norm and RMS norm

const tensor::Shape kColumn = {1, 16, 1};
const Attributes kLast = {{"axes", Numbers{-1}}};

struct Norm {
  TestGraph graph;
  ValueId x = graph.Input(kTokens);

  ValueId Centred() {
    return graph.Node("Sub", {x, graph.Node("ReduceMean", {x}, kColumn, kLast)}, kTokens);
  }
  /// sqrt(mean(d^2) + 1e-5).
  ValueId Root(ValueId d, const Attributes& axes = kLast) {
    const auto square = graph.Node("Pow", {d, graph.Number(2.0F)}, kTokens);
    const auto mean = graph.Node("ReduceMean", {square}, kColumn, axes);
    return graph.Node("Sqrt", {graph.Node("Add", {mean, graph.Number(1e-5F)}, kColumn)}, kColumn);
  }
  ValueId Scaled(ValueId normal) {
    return graph.Node("Mul", {normal, graph.Weight("ln.weight", {8})}, kTokens);
  }
  ValueId Shifted(ValueId scaled) {
    return graph.Node("Add", {scaled, graph.Weight("ln.bias", {8})}, kTokens);
  }
  std::vector<std::string> Finish(ValueId output) {
    graph.Output(output);
    return graph.Calls();
  }
};

TEST(FuseLayerNormTest, TakesTheDecomposition) {
  Norm n;
  const auto centred = n.Centred();
  const auto normal = n.graph.Node("Div", {centred, n.Root(centred)}, kTokens);
  EXPECT_THAT(n.Finish(n.Shifted(n.Scaled(normal))),
              ElementsAre("layer_norm(x0, [8], ln.weight, ln.bias) -> %3"));
}

TEST(FuseLayerNormTest, TakesOneWithoutBiasOrScale) {
  Norm scaled;
  const auto d = scaled.Centred();
  EXPECT_THAT(scaled.Finish(scaled.Scaled(scaled.graph.Node("Div", {d, scaled.Root(d)}, kTokens))),
              ElementsAre("layer_norm(x0, [8], ln.weight) -> %2"));
  Norm plain;
  const auto e = plain.Centred();
  EXPECT_THAT(plain.Finish(plain.graph.Node("Div", {e, plain.Root(e)}, kTokens)),
              ElementsAre("layer_norm(x0, [8]) -> %1"));
}

TEST(FuseLayerNormTest, TakesADifferenceThatIsComputedTwice) {
  Norm n;
  const auto root = n.Root(n.Centred());
  EXPECT_THAT(n.Finish(n.graph.Node("Div", {n.Centred(), root}, kTokens)),
              ElementsAre("layer_norm(x0, [8]) -> %1"));
}

TEST(FuseLayerNormTest, LeavesAMeanOverAnotherAxisApart) {
  Norm n;
  const auto centred = n.Centred();
  const auto root = n.Root(centred, {{"axes", Numbers{1}}});
  EXPECT_THAT(n.Finish(n.graph.Node("Div", {centred, root}, kTokens)),
              Contains(HasSubstr("sqrt(")));
}

TEST(FuseRmsNormTest, TakesTheProductWithTheReciprocalRoot) {
  Norm dynamo;
  const auto inverse = dynamo.graph.Node("Reciprocal", {dynamo.Root(dynamo.x)}, kColumn);
  const auto normal = dynamo.graph.Node("Mul", {dynamo.x, inverse}, kTokens);
  EXPECT_THAT(dynamo.Finish(dynamo.Scaled(normal)),
              ElementsAre("rms_norm(x0, [8], ln.weight, 1e-05) -> %2"));
  Norm older;
  const auto one_over =
      older.graph.Node("Div", {older.graph.Number(1.0F), older.Root(older.x)}, kColumn);
  EXPECT_THAT(older.Finish(older.graph.Node("Mul", {older.x, one_over}, kTokens)),
              ElementsAre("rms_norm(x0, [8], None, 1e-05) -> %1"));
}

TEST(FuseRmsNormTest, TakesTheQuotient) {
  Norm n;
  EXPECT_THAT(n.Finish(n.Scaled(n.graph.Node("Div", {n.x, n.Root(n.x)}, kTokens))),
              ElementsAre("rms_norm(x0, [8], ln.weight, 1e-05) -> %2"));
}

TEST(FuseRmsNormTest, LeavesAnotherNumeratorApart) {
  Norm n;
  const auto other = n.graph.Input(kTokens);
  EXPECT_THAT(n.Finish(n.graph.Node("Div", {other, n.Root(n.x)}, kTokens)),
              Contains(HasSubstr("sqrt(")));
}

// ---- global pooling

TEST(FuseTest, KeepsAMeanOverThePlanesTheMeanThatItWas) {
  TestGraph graph;
  graph.Output(graph.Node("ReduceMean", {graph.Input({1, 4, 8, 8})}, tensor::Shape{1, 4, 1, 1},
                          {{"axes", Numbers{2, 3}}}));
  EXPECT_THAT(graph.Calls(), ElementsAre("mean.dim(x0, [2, 3], true) -> %1"));
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

TEST(FuseAttentionTest, KnowsACausalMask) {
  const auto calls = [](float filled, std::int64_t diagonal) {
    Attention a;
    const auto product = a.graph.Node("MatMul", {a.q, a.TurnedKey()}, a.square);
    const auto full = a.graph.Node("Expand", {a.graph.Number(filled), a.graph.Ints({16, 16})},
                                   tensor::Shape{16, 16});
    const auto mask = a.graph.Node("Trilu", {full, a.graph.Int(diagonal)}, tensor::Shape{16, 16});
    const auto scaled = a.Scaled(product, a.square, 0.5F);
    return a.Finish(a.graph.Node("Add", {scaled, mask}, a.square)).back();
  };
  EXPECT_EQ(calls(-3e38F, 1), "scaled_dot_product_attention(x0, x1, x2, None, 0.0, true) -> %3");
  EXPECT_THAT(calls(-1.0F, 1), ::testing::HasSubstr("(x0, x1, x2, %"));
  EXPECT_THAT(calls(-3e38F, 0), ::testing::HasSubstr("(x0, x1, x2, %"));
}

TEST(FuseAttentionTest, KnowsACausalMaskThatIsAConstant) {
  const auto calls = [](float seen) {
    Attention a;
    std::vector<float> numbers(16 * 16, -3e38F);
    for (std::size_t query = 0; query < 16; ++query) {
      std::fill_n(numbers.begin() + static_cast<std::ptrdiff_t>(16 * query), query + 1, seen);
    }
    const auto product = a.graph.Node("MatMul", {a.q, a.TurnedKey()}, a.square);
    const auto mask = a.graph.Numbers(numbers, {1, 1, 16, 16});
    const auto scaled = a.Scaled(product, a.square, 0.5F);
    return a.Finish(a.graph.Node("Add", {scaled, mask}, a.square)).back();
  };
  EXPECT_EQ(calls(0.0F), "scaled_dot_product_attention(x0, x1, x2, None, 0.0, true) -> %3");
  EXPECT_EQ(calls(0.5F), "scaled_dot_product_attention(x0, x1, x2, c0) -> %4");
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

TEST(FuseAttentionTest, TakesAKeyThatIsTurnedWithFlatHeads) {  // torch.onnx with dynamo
  Attention a;
  const auto flat =
      a.graph.Node("Reshape", {a.k, a.graph.Ints({-1, 16, 4})}, tensor::Shape{2, 16, 4});
  const auto turned =
      a.graph.Node("Transpose", {flat}, tensor::Shape{2, 4, 16}, {{"perm", Numbers{0, 2, 1}}});
  const auto key =
      a.graph.Node("Reshape", {turned, a.graph.Ints({1, 2, 4, 16})}, tensor::Shape{1, 2, 4, 16});
  const auto product = a.graph.Node("MatMul", {a.q, key}, a.square);
  EXPECT_THAT(a.Finish(a.Scaled(product, a.square, 0.5F)),
              ElementsAre("scaled_dot_product_attention(x0, x1, x2) -> %3"));
}

TEST(FuseAttentionTest, TakesADropoutOfTheWeights) {  // torch.onnx with dynamo
  Attention a;
  const auto product = a.graph.Node("MatMul", {a.q, a.TurnedKey()}, a.square);
  const auto weights = a.graph.Node("Softmax", {a.Scaled(product, a.square, 0.5F)}, a.square);
  const auto dropped = a.graph.Node("Dropout", {weights}, a.square);
  a.graph.Output(a.graph.Node("MatMul", {dropped, a.v}, a.heads));
  EXPECT_THAT(a.graph.Calls(), ElementsAre("scaled_dot_product_attention(x0, x1, x2) -> %3"));
}

TEST(FuseAttentionTest, TakesTheGuardOfRowsThatAreHidden) {
  Attention a;
  const auto product = a.graph.Node("MatMul", {a.q, a.TurnedKey()}, a.square);
  const auto masked = a.graph.Node("Add", {product, a.graph.Input(a.square)}, a.square);
  const auto weights = a.graph.Node("Softmax", {masked}, a.square);
  const auto hidden = a.graph.Node("IsNaN", {weights}, a.square);
  const auto guarded = a.graph.Node("Where", {hidden, a.graph.Number(0.0F), weights}, a.square);
  a.graph.Output(a.graph.Node("MatMul", {guarded, a.v}, a.heads));
  EXPECT_THAT(a.graph.Calls(),
              ElementsAre("scaled_dot_product_attention(x0, x1, x2, x3, 0.0, false, 1.0) -> %4"));
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
