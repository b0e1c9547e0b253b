// Rules of operators that pick, put, reduce or resample: a node in, the calls out.
#include <gmock/gmock.h>

#include "aten/test_graph.h"

namespace assay::aten {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using Numbers = std::vector<std::int64_t>;

const tensor::Shape kImage = {1, 4, 8, 8};
constexpr auto kInt64 = tensor::DType::kInt64;

TEST(IndexingRuleTest, GathersElementsFromTheFrontWhereTheyAreKnown) {
  TestGraph graph;
  const auto x = graph.Input({8});
  graph.Output(graph.Node("GatherElements", {x, graph.Ints({-1, 0})}, tensor::Shape{2}));
  const auto program = graph.Calls();
  EXPECT_THAT(program, ElementsAre("gather(x0, 0, c0) -> %2"));
}

TEST(IndexingRuleTest, GathersTuplesBehindBatches) {
  TestGraph graph;
  const auto x = graph.Input({2, 3, 4});
  const auto indices = graph.Input({2, 5, 1}, kInt64);
  graph.Output(graph.Node("GatherND", {x, indices}, tensor::Shape{2, 5, 4},
                          {{"batch_dims", std::int64_t{1}}}));
  EXPECT_THAT(graph.Calls(),
              ElementsAre("unbind.int(x1, -1) -> %3", "index.Tensor(x0, (c0, %3)) -> %4"));
}

TEST(IndexingRuleTest, ScattersWithPyTorchsNamesOfReductions) {
  for (const auto& [reduction, call] : std::map<std::string, std::string>{
           {"none", "scatter.src(x0, 1, x1, x2) -> %3"},
           {"add", "scatter_add(x0, 1, x1, x2) -> %3"},
           {"mul", "scatter_reduce.two(x0, 1, x1, x2, 'prod') -> %3"},
           {"max", "scatter_reduce.two(x0, 1, x1, x2, 'amax') -> %3"}}) {
    TestGraph graph;
    const auto x = graph.Input(kImage);
    const auto indices = graph.Input(kImage, kInt64);
    graph.Output(graph.Node("ScatterElements", {x, indices, graph.Input(kImage)}, kImage,
                            {{"axis", std::int64_t{1}}, {"reduction", reduction}}));
    EXPECT_THAT(graph.Calls(), ElementsAre(call));
  }
}

TEST(IndexingRuleTest, SlicesBackwardsAsAFlipOrByNumber) {
  const auto slice = [](const Numbers& start, const Numbers& end, const Numbers& step) {
    TestGraph graph;
    const auto x = graph.Input({1, 8});
    graph.Output(graph.Node(
        "Slice", {x, graph.Ints(start), graph.Ints(end), graph.Ints({1}), graph.Ints(step)},
        tensor::Shape{1, 8}));
    return graph.Calls();
  };
  EXPECT_THAT(slice({-1}, {-100}, {-1}), ElementsAre("flip(x0, [1]) -> %1"));
  EXPECT_THAT(slice({5}, {0}, {-2}), ElementsAre("index_select(x0, 1, c0) -> %2"));
}

TEST(ReductionRuleTest, KeepsTheTypeOfSmallIntegers) {
  TestGraph graph;
  const auto x = graph.Input({4, 4}, tensor::DType::kInt32);
  const auto y = graph.Node("ReduceSum", {x}, tensor::Shape{1, 1});
  graph.graph().values[static_cast<std::size_t>(y)].type.dtype = tensor::DType::kInt32;
  graph.Output(y);
  EXPECT_THAT(graph.Calls(), ElementsAre("sum.dim_IntList(x0, [0, 1], true, int32) -> %1"));
}

TEST(ReductionRuleTest, TakesBothOutputsOfTopK) {
  TestGraph graph;
  const auto parts = graph.Node("TopK", {graph.Input(kImage), graph.Ints({3})},
                                std::vector<tensor::Shape>{{1, 3, 8, 8}, {1, 3, 8, 8}},
                                {{"axis", std::int64_t{1}}});
  graph.Output(parts[0]);
  graph.Output(parts[1]);
  EXPECT_THAT(graph.Calls(), ElementsAre("topk(x0, 3, 1) -> %1, %2"));
}

TEST(ReductionRuleTest, ShiftsAnExclusiveSum) {
  TestGraph graph;
  graph.Output(graph.Node("CumSum", {graph.Input({2, 8}), graph.Int(1)}, tensor::Shape{2, 8},
                          {{"exclusive", std::int64_t{1}}}));
  EXPECT_THAT(graph.Calls(),
              ElementsAre("constant_pad_nd(x0, [1, -1], 0.0) -> %1", "cumsum(%1, 1) -> %2"));
}

TEST(TransposedConvolutionRuleTest, CropsWhatTheCallCannot) {
  const auto lowered = [](const Numbers& pads, const tensor::Shape& shape) {
    TestGraph graph;
    const auto x = graph.Input(kImage);
    graph.Output(graph.Node("ConvTranspose", {x, graph.Weight("w", {4, 4, 3, 3})}, shape,
                            {{"strides", Numbers{2, 2}}, {"pads", pads}}));
    return graph.Calls();
  };
  EXPECT_THAT(lowered({1, 1, 1, 1}, {1, 4, 15, 15}),
              ElementsAre("conv_transpose2d.input(x0, w, None, [2, 2], [1, 1]) -> %2"));
  EXPECT_THAT(lowered({0, 0, 1, 1}, {1, 4, 16, 16}),
              ElementsAre("conv_transpose2d.input(x0, w, None, [2, 2]) -> %2",
                          "constant_pad_nd(%2, [0, -1, 0, -1]) -> %3"));
}

/// A Resize of kImage to twice its size.
std::vector<std::string> Resized(Attributes attributes) {
  TestGraph graph;
  const Inputs inputs = {graph.Input(kImage), model::kNone, model::kNone,
                         graph.Ints({1, 4, 16, 16})};
  graph.Output(graph.Node("Resize", inputs, tensor::Shape{1, 4, 16, 16}, std::move(attributes)));
  return graph.Calls();
}

TEST(ResampleRuleTest, FindsPyTorchsNearestByTheElementsThatItPicks) {
  EXPECT_THAT(Resized({{"coordinate_transformation_mode", std::string("asymmetric")},
                       {"nearest_mode", std::string("floor")}}),
              ElementsAre("upsample_nearest2d.vec(x0, [16, 16], None) -> %1"));
  EXPECT_THAT(Resized({{"coordinate_transformation_mode", std::string("asymmetric")},
                       {"nearest_mode", std::string("ceil")}}),
              ElementsAre("index_select(x0, 2, c0) -> %2", "index_select(%2, 3, c1) -> %4"));
}

TEST(ResampleRuleTest, InterpolatesWherePyTorchHasTheCoordinates) {
  EXPECT_THAT(Resized({{"mode", std::string("linear")}}),
              ElementsAre("upsample_bilinear2d.vec(x0, [16, 16], false, None) -> %1"));
  EXPECT_THAT(Resized({{"mode", std::string("cubic")},
                       {"coordinate_transformation_mode", std::string("align_corners")}}),
              ElementsAre("upsample_bicubic2d.vec(x0, [16, 16], true, None) -> %1"));
  EXPECT_THAT(Resized({{"mode", std::string("linear")},
                       {"coordinate_transformation_mode", std::string("asymmetric")}})[0],
              HasSubstr("coordinates asymmetric"));
}

}  // namespace
}  // namespace assay::aten
