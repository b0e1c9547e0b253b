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
  EXPECT_EQ(model.error().hint, "for example --input-shape 1x3x224x224");
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

TEST_F(DimensionsTest, ShapesGiveWhatHasNoNameOrOneForSeveralAxes) {
  const std::string graph =
      "agraph (float[N,3,H,H] x, float[N] z) => (float[A] y) "
      "{ p = GlobalAveragePool(x) y = Add(z, z) }";
  const auto model = LoadText(graph, {.shapes = {{"x", {2, 3, 48, 192}}}});
  ASSERT_TRUE(model.ok()) << model.error().message;
  EXPECT_EQ(ValueOf(model->graph, "x").type.shape, (tensor::Shape{2, 3, 48, 192}));
  EXPECT_EQ(ValueOf(model->graph, "z").type.shape, (tensor::Shape{2}));  // N, as x has it
  ExpectError(LoadText(graph, {.shapes = {{"", {2, 3, 48, 192}}}}), Code::kInvalidArgument,
              "--input-shape 2x3x48x192 names no input, and there are 2");
  ExpectError(LoadText(graph, {.shapes = {{"w", {1}}}}), Code::kInvalidArgument,
              "--input-shape: no input 'w'");
  ExpectError(LoadText(graph, {.shapes = {{"x", {1, 3, 4}}}}), Code::kInvalidArgument,
              "input 'x' has 4 axes");
  ExpectError(LoadText(graph, {.shapes = {{"x", {1, 4, 8, 8}}}}), Code::kInvalidArgument,
              "input 'x' has 3 in axis 1, not 4");
}

TEST_F(DimensionsTest, ASizeOfMinusOneIsFreeAndANameWithoutLettersIsNone) {
  const auto minus = LoadText("agraph (float[-1,3] x) => (float[A,B] y) { y = Relu(x) }");
  ExpectError(minus, Code::kInvalidArgument, "the dimension 'x.0' (axis 0 of 'x') has no size");
  EXPECT_EQ(minus.error().hint, "for example --input-shape 1x3");
  const auto marks = Load(Write("agraph (float[1,3,A,B] x) => (float[C,D,E,F] y) { y = Relu(x) }",
                                [](onnx::ModelProto& proto) {
                                  auto* shape = proto.mutable_graph()
                                                    ->mutable_input(0)
                                                    ->mutable_type()
                                                    ->mutable_tensor_type()
                                                    ->mutable_shape();
                                  shape->mutable_dim(2)->set_dim_param("?");
                                  shape->mutable_dim(3)->set_dim_param("?");
                                }),
                          {.dimensions = {{"x.2", 48}, {"x.3", 192}}});
  ASSERT_TRUE(marks.ok()) << marks.error().message;
  EXPECT_EQ(ValueOf(marks->graph, "y").type.shape, (tensor::Shape{1, 3, 48, 192}));
}

TEST_F(DimensionsTest, ProposesChannelsOfTheFirstLayerAndSizesThatFit) {
  const auto model = LoadText(
      "agraph (float[?,?,?,?] x) => (float[A,B,C,D] y) <float[2,5,1,1] w = {1,1,1,1,1,1,1,1,1,1}, "
      "int64[4] s = {1, 2, 64, 64}> { c = Conv(x, w) z = ConstantOfShape(s) y = Add(c, z) }");
  ASSERT_FALSE(model.ok());
  EXPECT_EQ(model.error().hint, "for example --input-shape 1x5x64x64");
}

}  // namespace
}  // namespace assay::model
