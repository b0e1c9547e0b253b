#include <cstring>

#include "model/testing.h"

namespace assay::model {
namespace {

class FoldTest : public FolderTest {
 protected:
  /// Loads `body` behind inputs x: float[2,5,4], and returns the int64 content of the value k.
  std::vector<std::int64_t> Known(const std::string& body) {
    const auto model =
        LoadText("agraph (float[2,5,4] x) => (float[2,5,4] y) { y = Identity(x) " + body + " }");
    EXPECT_TRUE(model.ok()) << body << ": " << (model.ok() ? "" : model.error().message);
    if (!model.ok()) {
      return {};
    }
    const Value& k = ValueOf(model->graph, "k");
    EXPECT_TRUE(k.constant.has_value()) << body;
    EXPECT_EQ(k.type.dtype, tensor::DType::kInt64) << body;
    if (!k.constant) {
      return {};
    }
    std::vector<std::int64_t> values(k.constant->data.size() / 8);
    if (!values.empty()) {
      std::memcpy(values.data(), k.constant->data.data(), 8 * values.size());
    }
    return values;
  }
};

using Ints = std::vector<std::int64_t>;

TEST_F(FoldTest, FoldsQuestionsAboutShapes) {
  EXPECT_EQ(Known("k = Shape(x)"), (Ints{2, 5, 4}));
  EXPECT_EQ(Known("k = Shape<start=1>(x)"), (Ints{5, 4}));
  EXPECT_EQ(Known("k = Shape<start=-2, end=-1>(x)"), (Ints{5}));
  EXPECT_EQ(Known("k = Size(x)"), (Ints{40}));
}

TEST_F(FoldTest, FoldsIndexing) {
  const std::string s = "s = Shape(x) ";
  EXPECT_EQ(Known(s + "i = Constant<value_int=1>() k = Gather(s, i)"), (Ints{5}));
  EXPECT_EQ(Known(s + "i = Constant<value_ints=[-1, 0]>() k = Gather(s, i)"), (Ints{4, 2}));
  EXPECT_EQ(Known(s + "b = Constant<value_ints=[1]>() "
                      "e = Constant<value_ints=[9223372036854775807]>() k = Slice(s, b, e)"),
            (Ints{5, 4}));
  EXPECT_EQ(Known(s + "b = Constant<value_ints=[-1]>() "
                      "e = Constant<value_ints=[-9223372036854775807]>() "
                      "a = Constant<value_ints=[0]>() t = Constant<value_ints=[-1]>() "
                      "k = Slice(s, b, e, a, t)"),
            (Ints{4, 5, 2}));
  EXPECT_EQ(Known(s + "b = Constant<value_ints=[7]>() k = Concat<axis=0>(b, s, b)"),
            (Ints{7, 2, 5, 4, 7}));
}

TEST_F(FoldTest, FoldsArithmeticWithBroadcasting) {
  const std::string s = "s = Shape(x) t = Constant<value_int=2>() ";
  EXPECT_EQ(Known(s + "k = Mul(s, t)"), (Ints{4, 10, 8}));
  EXPECT_EQ(Known(s + "n = Neg(s) k = Div(n, t)"), (Ints{-1, -2, -2}));  // towards zero
  EXPECT_EQ(Known(s + "k = ReduceProd<keepdims=0>(s)"), (Ints{40}));
  EXPECT_EQ(Known(s + "m = Constant<value_ints=[-1, -1, 3]>() n = Constant<value_int=-1>() "
                      "e = Equal(m, n) k = Where(e, s, m)"),
            (Ints{2, 5, 3}));
}

TEST_F(FoldTest, KeepsIntegersExactBeyondWhatDoublesHold) {
  EXPECT_EQ(Known("a = Constant<value_int=9223372036854775806>() b = Constant<value_int=1>() "
                  "k = Add(a, b)"),
            (Ints{9223372036854775807}));
}

TEST_F(FoldTest, FoldsWhatMakesTensors) {
  EXPECT_EQ(Known("a = Constant<value_int=3>() b = Constant<value_int=-3>() "
                  "d = Constant<value_int=-2>() k = Range(a, b, d)"),
            (Ints{3, 1, -1}));
  EXPECT_EQ(Known("s = Constant<value_ints=[2,2]>() "
                  "k = ConstantOfShape<value = int64[1] {7}>(s)"),
            (Ints{7, 7, 7, 7}));
  EXPECT_EQ(Known("r = Constant<value_ints=[1,2]>() s = Constant<value_ints=[2,1]>() "
                  "c = Reshape(r, s) t = Constant<value_ints=[2,3]>() k = Expand(c, t)"),
            (Ints{1, 1, 1, 2, 2, 2}));
  EXPECT_EQ(Known("r = Constant<value_ints=[1,2,3,4]>() s = Constant<value_ints=[2,2]>() "
                  "c = Reshape(r, s) k = Transpose(c)"),
            (Ints{1, 3, 2, 4}));
}

TEST_F(FoldTest, CastsThroughFloatsAndRootsAsExportersDo) {
  EXPECT_EQ(Known("s = Shape(x) i = Constant<value_int=2>() d = Gather(s, i) "
                  "f = Cast<to=1>(d) r = Sqrt(f) k = Cast<to=7>(r)"),
            (Ints{2}));
}

TEST_F(FoldTest, LeavesUnfoldedWhatCannotBeKnown) {
  const auto model = LoadText(
      "agraph (int64[1] x) => (int64 k) { z = Constant<value_int=0>() o = Constant<value_int=1>() "
      "k = Div(o, z) }");
  ASSERT_TRUE(model.ok()) << model.error().message;
  EXPECT_FALSE(ValueOf(model->graph, "k").constant.has_value());
}

TEST_F(FoldTest, ClosesShapesThatExportersComputeAtRunTime) {
  const auto model = LoadText(
      "agraph (float[2,5,4] x) => (float[M,N] y) { s = Shape(x) i = Constant<value_ints=[0]>() "
      "n = Gather(s, i) m = Constant<value_ints=[-1]>() t = Concat<axis=0>(n, m) "
      "y = Reshape(x, t) }");
  ASSERT_TRUE(model.ok()) << model.error().message;
  EXPECT_EQ(ValueOf(model->graph, "y").type.shape, (tensor::Shape{2, 20}));
  ASSERT_EQ(model->graph.nodes.size(), 1u);  // the arithmetic is gone
  EXPECT_EQ(model->graph.nodes[0].op, "Reshape");
}

}  // namespace
}  // namespace assay::model
