#include "model/batch.h"

#include "model/testing.h"

namespace assay::model {
namespace {

class BatchTest : public FolderTest {
 protected:
  Result<Model> WithBatch(const std::string& graph, std::int64_t batch) {
    const auto own = LoadText(graph);
    EXPECT_TRUE(own.ok()) << own.error().message;
    return LoadWithBatch(*own, {}, batch, folder_ / "cache");
  }
};

// A Reshape of an activation to the batch, one of a weight that also begins with 1, and an Expand.
constexpr char kGraph[] =
    "agraph (float[1,2,3] x) => (float[1,6] y, float[1,4] e) "
    "<int64[2] flat = {1, 6}, int64[2] row = {1, 6}, float[6] b = {1,2,3,4,5,6}, "
    "float[4] c = {1,2,3,4}, int64[2] wide = {1, 4}> "
    "{ f = Reshape(x, flat) r = Reshape(b, row) y = Add(f, r) "
    "  s = ReduceSum<keepdims=1>(f, axis) e0 = Expand(c, wide) e = Add(e0, s) }";

std::string Graph() {
  std::string text = kGraph;
  return text.replace(text.find("int64[2] flat"), 0, "int64[1] axis = {1}, ");
}

TEST_F(BatchTest, ChangesInputsAndTheSizesThatFollowThem) {
  const auto model = WithBatch(Graph(), 5);
  ASSERT_TRUE(model.ok()) << model.error().message;
  EXPECT_EQ(ValueOf(model->graph, "x").type.shape, (tensor::Shape{5, 2, 3}));
  EXPECT_EQ(ValueOf(model->graph, "r").type.shape, (tensor::Shape{1, 6}));
  EXPECT_EQ(ValueOf(model->graph, "y").type.shape, (tensor::Shape{5, 6}));
  EXPECT_EQ(ValueOf(model->graph, "e").type.shape, (tensor::Shape{5, 4}));
  ASSERT_TRUE(model->original.has_value());
  EXPECT_EQ(model->original->batch, 1);
  EXPECT_EQ(model->original->onnx.filename(), "m.onnx");
  EXPECT_EQ(model->name, "m");
}

TEST_F(BatchTest, IsFoundAgain) {
  const auto first = WithBatch(Graph(), 5);
  const auto again = WithBatch(Graph(), 5);
  ASSERT_TRUE(again.ok()) << again.error().message;
  EXPECT_EQ(again->onnx, first->onnx);
  EXPECT_NE(WithBatch(Graph(), 6)->onnx, first->onnx);
}

TEST_F(BatchTest, RefusesWhatMixesTheBatchWithOtherAxes) {
  const auto swapped =
      WithBatch("agraph (float[2,2] x) => (float[2,2] y) { y = Transpose<perm=[1,0]>(x) }", 5);
  ExpectError(swapped, Code::kUnsupported, "output 'y' would become 2x5, not 5x2");
  const auto fixed = WithBatch(
      "agraph (float[1,6] x) => (float[2,3] y) <int64[2] s = {2, 3}> { y = Reshape(x, s) }", 5);
  ExpectError(fixed, Code::kUnsupported, "output 'y' is 2x3, which does not begin with it");
}

TEST_F(BatchTest, RefusesInputsWithoutOneBatch) {
  ExpectError(WithBatch("agraph (float[1,6] x, float[6] z) => (float[1,6] y) { y = Add(x, z) }", 5),
              Code::kUnsupported, "input 'z' does not begin with the batch");
}

TEST_F(BatchTest, RefusesWhatNoLongerFits) {
  const auto model = WithBatch(
      "agraph (float[1,6] x) => (float[1,12] y) <float[1,6] w = {1,2,3,4,5,6}> "
      "{ y = Concat<axis=1>(x, w) }",
      5);
  ASSERT_FALSE(model.ok());
  EXPECT_EQ(model.error().code, Code::kUnsupported);
  EXPECT_NE(model.error().message.find("its batch cannot be changed to 5"), std::string::npos);
}

}  // namespace
}  // namespace assay::model
