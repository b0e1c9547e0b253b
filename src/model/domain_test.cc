#include "model/domain.h"

#include <fmt/format.h>

#include "model/testing.h"

namespace assay::model {
namespace {

Node NodeOf(const char* domain, const char* op, std::vector<ValueId> inputs,
            std::vector<ValueId> outputs, std::map<std::string, Attribute> attributes = {}) {
  Node node;
  node.name = node.op = op;
  node.domain = domain;
  node.inputs = std::move(inputs);
  node.outputs = std::move(outputs);
  node.attributes = std::move(attributes);
  return node;
}

class DomainTest : public FolderTest {
 protected:
  /// Of the inputs of a graph "g (INPUTS) => (OUTPUTS) {...}".
  std::vector<Domain> Of(const std::string& graph) {
    const Result<Model> model = LoadText(graph);
    EXPECT_TRUE(model.ok()) << model.error().message;
    return model.ok() ? DomainsOf(model->graph) : std::vector<Domain>(8);
  }
  static void ExpectRange(const Domain& domain, double low, double high, bool whole) {
    ASSERT_EQ(domain.each.size(), 1u) << ToString(domain);
    EXPECT_NEAR(domain.each[0].low, low, 1e-6) << ToString(domain);
    EXPECT_NEAR(domain.each[0].high, high, 1e-6) << ToString(domain);
    EXPECT_EQ(domain.each[0].whole, whole) << ToString(domain);
  }
  void ExpectIntegers(const std::string& graph, double low, double high) {
    const Domain domain = Of(graph).front();
    SCOPED_TRACE(graph);
    ExpectRange(domain, low, high, true);
  }
  void ExpectFloats(const std::string& graph, double low, double high) {
    const Domain domain = Of(graph).front();
    SCOPED_TRACE(graph);
    ExpectRange(domain, low, high, false);
  }
};

TEST_F(DomainTest, AFlagTakesTheFirstBranchButATensorIsNotDrawnForOne) {
  const std::string branches =
      "y = If (c) <then_branch = t () => (float[2] p) { p = Constant<value = float[2] {1, 2}>() }, "
      "else_branch = e () => (float[2] q) { q = Constant<value = float[2] {3, 4}>() }> }";
  ExpectIntegers("g (bool c) => (float[2] y) { " + branches, 1, 1);
  ExpectIntegers("g (float[2] x) => (float[2] y) { s = ReduceSum<keepdims = 0>(x) "
                 "c = Cast<to = 9>(s) " + branches, 0, 1);
}

TEST_F(DomainTest, IsWhatTheTypeSuggestsWhereTheGraphSaysNothing) {
  const auto domains =
      Of("g (float[2,3] x, int64[2,3] n, uint8[2,3] u, bool[2,3] b, int64[2,3] some_mask) => "
         "(float[2,3] x2, int64[2,3] n2, uint8[2,3] u2, bool[2,3] b2, int64[2,3] m2) "
         "{ x2 = Identity(x)  n2 = Identity(n)  u2 = Identity(u)  b2 = Identity(b)  "
         "m2 = Identity(some_mask) }");
  ExpectRange(domains[0], -1, 1, false);
  ExpectRange(domains[1], 0, 4, true);
  ExpectRange(domains[2], 0, 255, true);
  ExpectRange(domains[3], 0, 1, true);
  ExpectRange(domains[4], 0, 1, true);
  EXPECT_EQ(domains[4].first, 1);
  EXPECT_EQ(domains[0].reason, "");
}

TEST_F(DomainTest, OfIndicesIsTheRowsOfTheTable) {
  ExpectIntegers("g (int64[2,5] x, float[30,4] w) => (float[2,5,4] y) { y = Gather(w, x) }", 0, 29);
  // Through casts, reshapes and what is added to them.
  ExpectIntegers(
      "g (int32[2,5] x, float[30,4] w) => (float[10,4] y) <int64[1] s = {-1}, int64 two = {2}> "
      "{ l = Cast<to = 7>(x)  f = Reshape(l, s)  p = Add(f, two)  y = Gather(w, p) }",
      0, 27);
}

TEST_F(DomainTest, OfIndicesWithOffsetsOfColumnsFitsAllColumns) {
  ExpectIntegers(
      "g (int64[2,3] x, float[30,4] w) => (float[2,3,4] y) <int64[3] o = {0, 10, 25}> "
      "{ p = Add(x, o)  y = Gather(w, p) }",
      0, 4);
}

TEST_F(DomainTest, OfIndicesThatCountFromTheEndAreThoseFromTheStart) {
  ExpectIntegers(
      "g (int64[5] x, float[30,4] w) => (float[5,4] y) <int64 z = {0}, int64 n = {30}> "
      "{ neg = Less(x, z)  m = Add(x, n)  i = Where(neg, m, x)  y = Gather(w, i) }",
      0, 29);
}

TEST_F(DomainTest, OfFloatsThatBecomeIndicesIsWhole) {
  ExpectIntegers(
      "g (float[2,5] x, float[30,4] w) => (float[2,5,4] y) { i = Cast<to = 7>(x)  y = Gather(w, i) "
      "}",
      0, 29);
  ExpectIntegers("g (float[2,5] x) => (int64[2,5] y) { y = Cast<to = 7>(x) }", 0, 4);
}

TEST_F(DomainTest, OfOneColumnIsThatColumnsOwn) {
  const Domain domain =
      Of("g (float[2,3] x, float[30,4] w) => (float[2,4] y, float[2,1] z) "
         "<int64 one = {1}, int64[1] two = {2}, int64[1] three = {3}, int64[1] last = {-1}> "
         "{ c = Gather<axis = 1>(x, one)  i = Cast<to = 7>(c)  y = Gather(w, i) "
         "s = Slice(x, two, three, last)  z = Log(s) }")
          .front();
  ASSERT_EQ(domain.each.size(), 3u);
  EXPECT_EQ(domain.each[0], (Range{-1, 1, false})) << ToString(domain);
  EXPECT_EQ(domain.each[1], (Range{0, 29, true}));
  EXPECT_NEAR(domain.each[2].low, 0.05, 1e-9);
}

TEST_F(DomainTest, OfPlacesToWriteToHasNoneTwice) {
  const Domain scatter = Of("g (int64[2,3] x, float[2,8] d, float[2,3] u) => (float[2,8] y) "
                            "{ y = ScatterElements<axis = -1>(d, x, u) }")
                             .front();
  ExpectRange(scatter, 0, 7, true);
  EXPECT_EQ(scatter.distinct, 1u);
  const Domain tuples = Of("g (int64[3,2] x, float[4,8] d, float[3] u) => (float[4,8] y) "
                           "{ y = ScatterND(d, x, u) }")
                            .front();
  EXPECT_EQ(tuples.each, (std::vector<Range>{{0, 3, true}, {0, 7, true}}));
  EXPECT_TRUE(tuples.distinct);
}

TEST_F(DomainTest, OfWhatIsComparedWithAListIsTheList) {
  ExpectIntegers(
      "g (int64[2,5,1] x) => (bool[2,5,6] y) <int64[6] c = {0, 1, 2, 3, 4, 5}> { y = Equal(x, c) }",
      0, 5);
  ExpectIntegers("g (float[2,1] x) => (bool[2,3] y) <float[3] c = {2, 3, 7}> { y = Equal(x, c) }",
                 2, 7);
  ExpectIntegers("g (int64[2,5] x) => (bool[2,5] y) <int64 c = {0}> { y = Equal(x, c) }", 0, 1);
  ExpectFloats("g (float[2,5] x) => (bool[2,5] y) <float c = {40}> { y = Less(x, c) }", 39, 41);
  // Of ids that are compared with the one that pads, the table decides.
  ExpectIntegers(
      "g (int64[2,5] x, float[30,4] w) => (float[2,5,4] y, bool[2,5] p) <int64 c = {0}> "
      "{ p = Equal(x, c)  y = Gather(w, x) }",
      0, 29);
}

TEST_F(DomainTest, OfAModeIsTheOneThatItIsComparedWith) {
  const Domain mode = Of("g (int64 x) => (bool y) <int64 c = {16000}> { y = Equal(x, c) }").front();
  EXPECT_EQ(mode.among, (std::vector<double>{16000}));
}

TEST_F(DomainTest, OfLengthsIsNeverNoneNorTooMany) {
  ExpectIntegers("g (int64[2] x, float[7,2,3] d) => (float[7,2,3] y) { y = ReverseSequence(d, x) }",
                 1, 7);
  ExpectIntegers("g (int64[2,1] x) => (bool[2,4] y) <int64[4] r = {0, 1, 2, 3}> { y = Less(r, x) }",
                 1, 4);
  ExpectIntegers(
      "g (int32[2] x, float[7,2,3] d, float[1,4,3] w, float[1,4,4] r) => (float[7,1,2,4] y) "
      "{ y = RNN<hidden_size = 4>(d, w, r, , x) }",
      1, 7);
}

TEST_F(DomainTest, OfMasksLeavesSomethingInEachRow) {
  const Domain added =
      Of("g (int64[2,4] x, float[2,4] s) => (float[2,4] y) "
         "<float one = {1}, float big = {-10000}> "
         "{ f = Cast<to = 1>(x)  n = Sub(one, f)  b = Mul(n, big)  y = Add(s, b) }")
          .front();
  ExpectRange(added, 0, 1, true);
  EXPECT_EQ(added.first, 1);
  const Domain blocked = Of("g (bool[2,4] x, float[2,4] s) => (float[2,4] y) "
                            "<float big = {-1e9}> { y = Where(x, big, s) }")
                             .front();
  EXPECT_EQ(blocked.first, 0);
  const Domain padding = Of("g (int64[2,4] x, float[2,4] s) => (float[2,4] y) "
                            "<float big = {-1e9}, int64 z = {0}> "
                            "{ p = Equal(x, z)  y = Where(p, big, s) }")
                             .front();
  ExpectRange(padding, 0, 1, true);
  EXPECT_EQ(padding.first, 1);
}

TEST_F(DomainTest, OfFloatsIsWhereTheOperatorIsDefined) {
  const auto unary = [](const char* op) {
    return fmt::format("g (float[2,3] x) => (float[2,3] y) {{ y = {}(x) }}", op);
  };
  ExpectFloats(unary("Sqrt"), 0, 1);
  ExpectFloats(unary("Log"), 0.05, 1);
  ExpectFloats(unary("Reciprocal"), 0.1, 1);
  ExpectFloats(unary("Acos"), -0.95, 0.95);
  ExpectFloats(unary("Atanh"), -0.95, 0.95);
  ExpectFloats(unary("Acosh"), 1.05, 2.05);
  ExpectFloats(unary("Bernoulli"), 0, 1);
  ExpectFloats("g (float[2,3] x, float[2,3] n) => (float[2,3] y) { y = Div(n, x) }", 0.1, 1);
  ExpectFloats("g (float[2,3] x) => (float[2,3] y) <float e = {0.5}> { y = Pow(x, e) }", 0.05, 1);
  ExpectFloats("g (float[2,3] x) => (float[2,3] y) <float e = {2}> { y = Pow(x, e) }", -1, 1);
}

TEST_F(DomainTest, IsTakenBackThroughArithmetic) {
  ExpectFloats("g (float[2,3] x) => (float[2,3] y) <float c = {0.5}> { a = Add(x, c)  y = Log(a) }",
               -0.45, 1);
  ExpectFloats("g (float[2,3] x) => (float[2,3] y) { n = Neg(x)  y = Log(n) }", -1, -0.05);
  ExpectFloats("g (float[2,3] x) => (float[2,3] y) <float c = {100}> { m = Mul(x, c)  y = Exp(m) }",
               -1, 0.1);
  ExpectFloats("g (float[2,3] x) => (float[1,1] y) { m = ReduceMean(x)  y = Log(m) }", 0.05, 1);
}

TEST_F(DomainTest, OfPixelsIsWhatTheGraphDividesBy) {
  ExpectFloats("g (float[1,3,8,8] x) => (float[1,3,8,8] y) <float c = {255}> { y = Div(x, c) }", 0,
               255);
  ExpectFloats(
      "g (float[1,3,8,8] x) => (float[1,3,8,8] y) <float[1,3,1,1] c = {103.5, 116.3, 123.7}> "
      "{ y = Sub(x, c) }",
      0, 255);
}

/// Of an input of `size` integers that `op` takes as its operand of that number, besides a value of
/// 1x3x8x8 as the first.
Domain OfSizes(const char* op, std::size_t operand, std::int64_t size) {
  Graph graph;
  graph.values.resize(3);
  graph.values[0].type.shape = {1, 3, 8, 8};
  graph.values[1].type = {tensor::DType::kInt64, {size}};
  graph.inputs = {1};
  std::vector<ValueId> inputs(operand + 1, kNone);
  inputs.front() = 0;
  inputs.back() = 1;
  graph.nodes = {NodeOf("", op, std::move(inputs), {2})};
  return DomainsOf(graph).front();
}

TEST(DomainOfSizesTest, IsTheOneThatFits) {
  const auto expect = [](const Domain& domain, const std::vector<double>& values) {
    ASSERT_EQ(domain.each.size(), values.size()) << domain.reason;
    for (std::size_t i = 0; i < values.size(); ++i) {
      EXPECT_EQ(domain.each[i], (Range{values[i], values[i], true})) << domain.reason;
    }
  };
  expect(OfSizes("Reshape", 1, 4), {1, 3, 8, 8});
  expect(OfSizes("Reshape", 1, 2), {1, -1});
  expect(OfSizes("Expand", 1, 5), {1, 1, 3, 8, 8});
  expect(OfSizes("Resize", 3, 4), {1, 3, 16, 16});
  expect(OfSizes("Tile", 1, 4), {2, 2, 2, 2});
  expect(OfSizes("TopK", 1, 1), {4});
  expect(OfSizes("Slice", 2, 2), {1, 3});
  expect(OfSizes("Split", 1, 1), {1});
  expect(OfSizes("Loop", 1, 1), {1});
}

TEST_F(DomainTest, IsFollowedIntoTheBodiesOfControlFlow) {
  ExpectIntegers(
      "g (int64[5] x, float[30,4] w, bool c) => (float[5,4] y) "
      "{ y = If(c) <then_branch = t () => (float[5,4] a) { a = Gather(w, x) }, "
      "else_branch = e () => (float[5,4] b) { g = Gather(w, x)  b = Neg(g) }> }",
      0, 29);
  ExpectFloats(
      "g (float[5] x, int64 n, bool c) => (float[5] y) "
      "{ y = Loop(n, c, x) <body = b (int64 i, bool k, float[5] v) => (bool k2, float[5] r) "
      "{ k2 = Identity(k)  r = Log(v) }> }",
      0.05, 1);
}

TEST(DomainOfTreesTest, IsAroundTheThresholdsOfEachFeature) {
  Graph graph;
  graph.values.resize(2);
  graph.values[0] = {.name = "x", .type = {tensor::DType::kFloat32, {1, 3}}};
  graph.inputs = {0};
  graph.nodes = {NodeOf("ai.onnx.ml", "TreeEnsembleRegressor", {0}, {1},
                        {{"nodes_featureids", std::vector<std::int64_t>{0, 2, 0, 1}},
                         {"nodes_values", std::vector<double>{10, 300, 30, 0}},
                         {"nodes_modes", std::vector<std::string>{"BRANCH_LEQ", "BRANCH_EQ",
                                                                  "BRANCH_LEQ", "LEAF"}}})};
  const Domain domain = DomainsOf(graph).front();
  EXPECT_EQ(domain.each, (std::vector<Range>{{5, 35, false}, {-1, 1, false}, {300, 301, true}}));
}

TEST(DomainOfTreesTest, FindsTheFeatureOfAColumnThatIsConcatenated) {
  Graph graph;
  graph.values.resize(4);
  for (const std::size_t i : {0u, 1u, 2u}) {
    graph.values[i].name = std::string(1, static_cast<char>('a' + i));
    graph.values[i].type.shape = {1, i == 2 ? 2 : 1};
  }
  graph.inputs = {0, 1};
  graph.nodes = {NodeOf("", "Concat", {0, 1}, {2}, {{"axis", std::int64_t{1}}}),
                 NodeOf("ai.onnx.ml", "TreeEnsembleRegressor", {2}, {3},
                        {{"nodes_featureids", std::vector<std::int64_t>{0, 1, 1}},
                         {"nodes_values", std::vector<double>{2, 40, 80}}})};
  const auto domains = DomainsOf(graph);
  EXPECT_EQ(domains[0].each, (std::vector<Range>{{1, 3, false}}));
  EXPECT_EQ(domains[1].each, (std::vector<Range>{{30, 90, false}}));
}

TEST(DomainOfEncodersTest, IsTheirKeys) {
  Graph graph;
  graph.values.resize(2);
  graph.values[0].name = "x";
  graph.values[0].type = {tensor::DType::kInt64, {1, 3}};
  graph.inputs = {0};
  graph.nodes = {NodeOf("ai.onnx.ml", "OneHotEncoder", {0}, {1},
                        {{"cats_int64s", std::vector<std::int64_t>{3, 7, 90}}})};
  EXPECT_EQ(DomainsOf(graph).front().among, (std::vector<double>{3, 7, 90}));
  graph.nodes = {NodeOf("ai.onnx.ml", "LabelEncoder", {0}, {1},
                        {{"keys_strings", std::vector<std::string>{"red", "blue"}}})};
  EXPECT_EQ(DomainsOf(graph).front().words, (std::vector<std::string>{"red", "blue"}));
}

TEST(DomainOfRuntimesTest, IsTheTableOfFusedEmbeddings) {
  Graph graph;
  graph.values.resize(6);
  graph.values[0].type = graph.values[1].type = {tensor::DType::kInt32, {1, 8}};
  graph.values[2].type.shape = {50, 4};
  graph.values[3].type.shape = {8, 4};
  graph.values[4].type.shape = {2, 4};
  graph.inputs = {0, 1};
  graph.nodes = {NodeOf("com.microsoft", "EmbedLayerNormalization", {0, 1, 2, 3, 4}, {5})};
  const auto domains = DomainsOf(graph);
  EXPECT_EQ(domains[0].each, (std::vector<Range>{{0, 49, true}}));
  EXPECT_EQ(domains[1].each, (std::vector<Range>{{0, 1, true}}));
}

TEST(DomainTextTest, SaysWhatIsDrawnAndWhy) {
  EXPECT_EQ(ToString({.each = {{0, 29, true}}, .reason = "rows of 'w'"}),
            "integers 0..29, rows of 'w'");
  EXPECT_EQ(ToString({.each = {{-1, 1, false}}}), "in [-1, 1]");
}

}  // namespace
}  // namespace assay::model
