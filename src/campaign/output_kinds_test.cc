#include "campaign/output_kinds.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace assay::campaign {
namespace {

using testing::ElementsAre;

/// A graph of nodes given as operator, inputs and outputs, by name.
class Builder {
 public:
  model::ValueId Value(const std::string& name) {
    for (std::size_t i = 0; i < graph.values.size(); ++i) {
      if (graph.values[i].name == name) {
        return static_cast<model::ValueId>(i);
      }
    }
    graph.values.push_back({.name = name, .type = {tensor::DType::kFloat32, {2, 3, 4}}});
    return static_cast<model::ValueId>(graph.values.size() - 1);
  }
  model::Node& Node(const std::string& op, const std::vector<std::string>& inputs,
                    const std::vector<std::string>& outputs) {
    model::Node& node = graph.nodes.emplace_back();
    node.op = op;
    for (const std::string& name : inputs) {
      node.inputs.push_back(Value(name));
    }
    for (const std::string& name : outputs) {
      node.outputs.push_back(Value(name));
      graph.values[static_cast<std::size_t>(node.outputs.back())].producer =
          static_cast<std::int32_t>(graph.nodes.size() - 1);
    }
    return node;
  }
  void Outputs(const std::vector<std::string>& names) {
    for (const std::string& name : names) {
      graph.outputs.push_back(Value(name));
    }
  }
  model::Graph graph;
};

TEST(OutputKindsTest, FollowsWhatIsDrawnToTheOutputs) {
  Builder it;
  it.Node("RandomNormalLike", {"x"}, {"noise"});
  it.Node("Add", {"x", "noise"}, {"noisy"});
  it.Node("Shape", {"noisy"}, {"shape"});
  it.Node("Relu", {"x"}, {"quiet"});
  it.Outputs({"noisy", "shape", "quiet"});
  EXPECT_THAT(RandomOutputs(it.graph), ElementsAre("noisy"));
}

TEST(OutputKindsTest, ADropoutDrawsOnlyWhereItTrains) {
  Builder it;
  it.Node("Dropout", {"x", "ratio", "mode"}, {"y"});
  it.Outputs({"y"});
  auto& mode = it.graph.values[static_cast<std::size_t>(it.Value("mode"))].constant;
  mode = tensor::Tensor{.name = "", .type = {tensor::DType::kBool, {}}, .data = {std::byte{0}}};
  EXPECT_TRUE(RandomOutputs(it.graph).empty());
  mode->data = {std::byte{1}};
  EXPECT_THAT(RandomOutputs(it.graph), ElementsAre("y"));
}

TEST(OutputKindsTest, FindsIndicesThroughCastsButNotTheValuesOfTopK) {
  Builder it;
  it.Node("TopK", {"x", "k"}, {"v", "i"}).attributes["axis"] = std::int64_t{1};
  it.Node("Cast", {"i"}, {"narrow"});
  it.Node("ArgMax", {"x"}, {"a"}).attributes["axis"] = std::int64_t{-1};
  it.Node("Add", {"a", "a"}, {"sum"});
  it.Outputs({"v", "narrow", "a", "sum"});
  const auto choices = ChosenIndices(it.graph);
  ASSERT_EQ(choices.size(), 2u);
  EXPECT_EQ(choices.at("narrow").axis, 1);
  EXPECT_EQ(choices.at("a").axis, 2);
  EXPECT_EQ(choices.at("a").values, it.Value("x"));
}

TEST(OutputKindsTest, SelectsAlongAnAxis) {
  const OutputSets values{.shape = {2, 3, 2}, .sets = {{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11}}};
  const auto selected = Select(values, {.shape = {2, 2}, .sets = {{2, 0, 1, -1}}}, 1);
  ASSERT_TRUE(selected);
  EXPECT_THAT(selected->sets[0], ElementsAre(4, 1, 8, 11));
  const auto two = Select(values, {.shape = {2, 2, 2}, .sets = {{2, 0, 0, 1, 1, 2, 0, 0}}}, 1);
  ASSERT_TRUE(two);
  EXPECT_THAT(two->sets[0], ElementsAre(4, 1, 0, 3, 8, 11, 6, 7));
  EXPECT_FALSE(Select(values, {.shape = {2, 2}, .sets = {{3, 0, 1, 2}}}, 1));
}

}  // namespace
}  // namespace assay::campaign
