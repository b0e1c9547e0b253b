#include "model/testing.h"

namespace assay::model {
namespace {

using DimensionsTest = FolderTest;

constexpr char kTwoInputs[] =
    "agraph (int64[batch,seq] ids, int64[batch,seq] mask) => (int64[batch,seq] y) "
    "{ y = Add(ids, mask) }";

TEST_F(DimensionsTest, AsksForAllOfThemAtOnceWithPlacesAndTheRemedy) {
  const auto model = LoadText(kTwoInputs);
  ExpectError(model, Code::kInvalidArgument,
              "2 dimensions have no size: 'batch' (axis 0 of 'ids', axis 0 of 'mask'), "
              "'seq' (axis 1 of 'ids', axis 1 of 'mask')");
  EXPECT_EQ(model.error().hint, "for example --dim batch=1 --dim seq=128");
  EXPECT_TRUE(LoadText(kTwoInputs, {.dimensions = {{"batch", 1}, {"seq", 128}}}).ok());
}

TEST_F(DimensionsTest, TheRemedyKeepsWhatWasGiven) {
  const auto model = LoadText(kTwoInputs, {.dimensions = {{"batch", 4}}});
  ExpectError(model, Code::kInvalidArgument, "the dimension 'seq' (axis 1 of 'ids'");
  EXPECT_EQ(model.error().hint, "for example --dim batch=4 --dim seq=128");
}

TEST_F(DimensionsTest, AMisspeltNameIsAnsweredWithTheNearestAndTheRemedy) {
  const auto model = LoadText(kTwoInputs, {.dimensions = {{"bacth", 4}}});
  ExpectError(model, Code::kInvalidArgument, "no free dimension 'bacth' (did you mean batch?)");
  EXPECT_EQ(model.error().hint, "its free dimensions: --dim batch=1 --dim seq=128");
}

TEST_F(DimensionsTest, AFixedDimensionIsNoFreeOne) {
  const auto model = LoadText("agraph (float[2,3] x) => (float[2,3] y) { y = Relu(x) }",
                              {.dimensions = {{"x.0", 4}}});
  ExpectError(model, Code::kInvalidArgument,
              "dimension 'x.0' (axis 0 of 'x') is 2 in the file, it is not free");
  EXPECT_EQ(model.error().hint, "leave that --dim out");
}

TEST_F(DimensionsTest, ImagesAndNamesForAShellAreProposedAsTheyAreUsual) {
  const auto model = LoadText("agraph (float[?,3,H,W] x) => (float[?,3,H,W] y) { y = Relu(x) }");
  ASSERT_FALSE(model.ok());
  EXPECT_EQ(model.error().hint, "for example --dim x.0=1 --dim H=224 --dim W=224");
  const auto odd = Load(
      Write("agraph (float[N] x) => (float[N] y) { y = Relu(x) }", [](onnx::ModelProto& proto) {
        proto.mutable_graph()
            ->mutable_input(0)
            ->mutable_type()
            ->mutable_tensor_type()
            ->mutable_shape()
            ->mutable_dim(0)
            ->set_dim_param("floor(s0/2)");
      }));
  ASSERT_FALSE(odd.ok());
  EXPECT_EQ(odd.error().hint, "for example --dim 'floor(s0/2)=1'");
}

TEST_F(DimensionsTest, AFixedDimensionMayBeCalledLikeAFreeOne) {
  const auto model = Load(Write("agraph (float[2,N] x) => (float[2,N] y) { y = Relu(x) }",
                                [](onnx::ModelProto& proto) {
                                  proto.mutable_graph()
                                      ->mutable_input(0)
                                      ->mutable_type()
                                      ->mutable_tensor_type()
                                      ->mutable_shape()
                                      ->mutable_dim(1)
                                      ->set_dim_param("x.0");
                                }),
                          {.dimensions = {{"x.0", 5}}});
  ASSERT_TRUE(model.ok()) << model.error().message;
  EXPECT_EQ(ValueOf(model->graph, "x").type.shape, (tensor::Shape{2, 5}));
}

}  // namespace
}  // namespace assay::model
