#include <gmock/gmock.h>

#include <set>
#include <sstream>

#include "base/text.h"
#include "view/cut.h"
#include "view/render.h"

namespace assay::view {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr auto kFloat = tensor::DType::kFloat32;

/// x -> conv (weight w, strides 2) -> relu -> {left, right} -> add -> y, with a quote and a
/// backslash in a name.
class ViewTest : public ::testing::Test {
 protected:
  ViewTest() {
    const auto x = Value("x", {1, 3, 8, 8});
    const auto w = Value("conv.weight", {4, 3, 3, 3});
    graph_.values[1].weight = model::Weight{"conv.weight", "model.safetensors"};
    graph_.inputs = {x};
    const auto conv = Node("conv", "Conv", {x, w}, {1, 4, 3, 3});
    graph_.nodes.back().attributes = {{"kernel_shape", std::vector<std::int64_t>{3, 3}},
                                      {"strides", std::vector<std::int64_t>{2, 2}},
                                      {"dilations", std::vector<std::int64_t>{1, 1}},
                                      {"group", std::int64_t{1}}};
    const auto relu = Node("relu", "Relu", {conv}, {1, 4, 3, 3});
    const auto left = Node("left", "Sigmoid", {relu}, {1, 4, 3, 3});
    const auto right = Node("ri\"ght\\N", "Tanh", {relu}, {1, 4, 3, 3});
    graph_.outputs = {Node("add", "Add", {left, right}, {1, 4, 3, 3})};
    graph_.opset = 20;
  }

  model::ValueId Value(const std::string& name, const tensor::Shape& shape) {
    model::Value value;
    value.name = name;
    value.type = {kFloat, shape};
    graph_.values.push_back(value);
    return static_cast<model::ValueId>(graph_.values.size() - 1);
  }

  model::ValueId Node(const std::string& name, const std::string& op,
                      const std::vector<model::ValueId>& inputs, const tensor::Shape& shape) {
    const auto made = Value(name + "_out", shape);
    graph_.values.back().producer = static_cast<std::int32_t>(graph_.nodes.size());
    graph_.nodes.push_back({.name = name,
                            .op = op,
                            .domain = "",
                            .inputs = inputs,
                            .outputs = {made},
                            .attributes = {}});
    return made;
  }

  Listing Onnx() const { return OnnxListing(graph_, "small"); }

  Listing Aten() const {
    const auto lowered = aten::LowerWithOrigins(graph_);
    EXPECT_TRUE(lowered.ok()) << lowered.error().message;
    return AtenListing(*lowered, "small");
  }

  static std::vector<std::string> Steps(const Result<Listing>& listing) {
    EXPECT_TRUE(listing.ok()) << listing.error().message;
    std::vector<std::string> names;
    for (const Step& step : listing->steps) {
      names.push_back(step.name);
    }
    return names;
  }

  static std::vector<std::string> Names(const Listing& listing, const std::vector<ItemId>& ids) {
    std::vector<std::string> names;
    for (const ItemId id : ids) {
      names.push_back(listing.items[static_cast<std::size_t>(id)].name);
    }
    return names;
  }

  model::Graph graph_;
};

// ---- text

TEST_F(ViewTest, ShowsANodeWithItsTypeItsWeightAndWhatItsAttributesSay) {
  const std::string text = Text(Onnx(), {});
  EXPECT_THAT(text, HasSubstr("conv      Conv      float32 1x4x3x3  x, *conv.weight 4x3x3x3; "
                              "kernel_shape 3x3, strides 2x2\n"));
  EXPECT_THAT(text, HasSubstr("input   x              float32 1x3x8x8\n"));
  EXPECT_THAT(text, HasSubstr("output  add_out = add  float32 1x4x3x3\n"));
}

TEST_F(ViewTest, TotalsAreParametersAndMultiplyAdds) {
  // 4x3x3x3 weights; 4x3x3 output elements, each of 3x3x3 multiply-adds.
  EXPECT_THAT(Text(Onnx(), {}),
              HasSubstr("5 nodes, 108 parameters (108), 972 multiply-adds (972)\n"));
  EXPECT_THAT(Text(Aten(), {}),
              HasSubstr("5 calls, 108 parameters (108), 972 multiply-adds (972)\n"));
}

TEST_F(ViewTest, NodesOfTheSameNameAreToldApart) {
  graph_.nodes[1].name = "conv";
  EXPECT_THAT(Steps(Onnx()), ElementsAre("conv", "conv#2", "left", "ri\"ght\\N", "add"));
}

TEST_F(ViewTest, AtenCallsShowTheirNodeTypesAndLastUses) {
  const std::string text = Text(Aten(), {});
  EXPECT_THAT(text, HasSubstr("float32 1x4x3x3  conv"));
  EXPECT_THAT(text, HasSubstr("x, *conv.weight 4x3x3x3, None, [2, 2]"));
  EXPECT_THAT(text, HasSubstr("aten::relu_"));
  EXPECT_THAT(text, HasSubstr("in place; last use of %2"));
  EXPECT_THAT(text, Not(HasSubstr(" ? ")));
}

TEST_F(ViewTest, AttentionCountsBothOfItsProducts) {
  const tensor::Type heads{kFloat, {1, 2, 5, 8}};
  EXPECT_EQ(MultiplyAdds("scaled_dot_product_attention", {heads, heads, heads}, heads),
            2u * 2 * 5 * 5 * 8);
}

// ---- cutting

TEST_F(ViewTest, CutsOutAllWaysBetweenTwoNodes) {
  EXPECT_THAT(Steps(Cut(Onnx(), "relu", "left")), ElementsAre("relu", "left"));
  EXPECT_THAT(Steps(Cut(Onnx(), "relu", "add")), ElementsAre("relu", "left", "ri\"ght\\N", "add"));
  EXPECT_THAT(Steps(Cut(Onnx(), "left", "left")), ElementsAre("left"));
}

TEST_F(ViewTest, OneEndAloneTakesAllBeforeOrAfterIt) {
  EXPECT_THAT(Steps(Cut(Onnx(), "left", "")), ElementsAre("left", "add"));
  EXPECT_THAT(Steps(Cut(Onnx(), "", "left")), ElementsAre("conv", "relu", "left"));
}

TEST_F(ViewTest, WhatCrossesTheCutIsInputAndOutputOfThePart) {
  const auto part = Cut(Onnx(), "relu", "left");
  ASSERT_TRUE(part.ok());
  EXPECT_THAT(Names(*part, part->inputs), ElementsAre("conv"));
  EXPECT_THAT(Names(*part, part->outputs), ElementsAre("relu", "left"));
  EXPECT_THAT(Text(*part, {}), HasSubstr("2 of 5 nodes, 0 parameters"));
}

TEST_F(ViewTest, ResultsAndInputsNameStepsToo) {
  EXPECT_THAT(Steps(Cut(Onnx(), "relu_out", "left_out")), ElementsAre("relu", "left"));
  EXPECT_THAT(Steps(Cut(Onnx(), "x", "conv")), ElementsAre("conv"));
  EXPECT_THAT(Steps(Cut(Onnx(), "conv.weight", "relu")), ElementsAre("conv", "relu"));
}

TEST_F(ViewTest, AtenCallsAreFoundByNodeAndByResult) {
  const auto by_node = Steps(Cut(Aten(), "relu", "left"));
  EXPECT_EQ(by_node.size(), 2u);
  EXPECT_EQ(Steps(Cut(Aten(), by_node.front(), by_node.back())), by_node);
}

TEST_F(ViewTest, AnUnknownNodeIsAnsweredWithTheNearest) {
  const auto part = Cut(Onnx(), "rele", "");
  ASSERT_FALSE(part.ok());
  EXPECT_EQ(part.error().code, Code::kInvalidArgument);
  EXPECT_EQ(part.error().message, "no node 'rele' in small as ONNX, opset 20 (did you mean relu?)");
}

TEST_F(ViewTest, WhatNoPathJoinsIsAnError) {
  const auto part = Cut(Onnx(), "left", "relu");
  ASSERT_FALSE(part.ok());
  EXPECT_EQ(part.error().message, "no path leads from 'left' to 'relu'");
  EXPECT_THAT(part.error().hint, HasSubstr("--from relu --to left"));
}

// ---- DOT

/// The statements of a digraph, read by the grammar's rules for quoted strings: names of nodes and
/// edges; fails on anything that ends within a string or outside of a statement.
struct ParsedDot {
  std::set<std::string> nodes;
  std::set<std::pair<std::string, std::string>> edges;
  std::vector<std::string> labels;
};

ParsedDot ParseDot(const std::string& text) {
  ParsedDot parsed;
  std::string plain;  // the text with each string as a number
  bool inside = false;
  std::string label;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (inside && text[i] == '\\') {
      label += text.substr(i++, 2);
    } else if (text[i] == '"') {
      inside = !inside;
      if (!inside) {
        plain += std::to_string(parsed.labels.size());
        parsed.labels.push_back(std::exchange(label, ""));
      }
    } else {
      (inside ? label : plain) += text[i];
      EXPECT_FALSE(inside && text[i] == '\n');
    }
  }
  EXPECT_FALSE(inside);
  std::istringstream lines(plain);
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string first, second, third;
    words >> first >> second >> third;
    if (second == "->") {
      parsed.edges.insert({first, third});
    } else if (second.starts_with("[") && first != "node" && first != "edge") {
      parsed.nodes.insert(first);
    }
  }
  return parsed;
}

TEST_F(ViewTest, DotHasANodeForEachStepAndEdge) {
  const ParsedDot dot = ParseDot(Dot({Onnx()}));
  EXPECT_THAT(dot.nodes, ElementsAre("in0", "out6", "s0", "s1", "s2", "s3", "s4"));
  EXPECT_EQ(dot.edges.size(), 7u);
  for (const auto& [from, to] : dot.edges) {
    EXPECT_TRUE(dot.nodes.contains(from) && dot.nodes.contains(to)) << from << " " << to;
  }
  EXPECT_TRUE(dot.edges.contains({"s1", "s3"}));
}

TEST_F(ViewTest, DotEscapesQuotesAndBackslashes) {
  const ParsedDot dot = ParseDot(Dot({Onnx()}));
  EXPECT_THAT(dot.labels, ::testing::Contains("ri\\\"ght\\\\N\\nTanh"));
  EXPECT_THAT(dot.labels,
              ::testing::Contains("conv\\nConv\\n*conv.weight float32 4x3x3x3\\nkernel_shape 3x3, "
                                  "strides 2x2"));
}

TEST_F(ViewTest, SeveralListingsAreClustersWithNodesOfTheirOwn) {
  const ParsedDot dot = ParseDot(Dot({Onnx(), Aten()}));
  EXPECT_TRUE(dot.nodes.contains("g0_s0") && dot.nodes.contains("g1_s0"));
}

// ---- what PyTorch's tools wrote

constexpr const char* kTorch = R"json({"schema": "assay.torch_graph/1", "graphs": [{"name": "m",
  "title": "m as torch.export writes it", "code": "class M: ...\n", "inputs": [0], "outputs": [2],
  "items": [{"kind": "input", "name": "x", "dtype": "float32", "shape": [1, 8]},
            {"kind": "weight", "name": "fc.weight", "dtype": "float32", "shape": [4, 8],
             "parameters": 32},
            {"kind": "result", "name": "linear", "dtype": "float32", "shape": [1, 4]}],
  "steps": [{"name": "linear", "op": "aten.linear.default", "origin": "fc",
             "arguments": [{"item": 0}, {"item": 1}, {"text": "None"}], "results": [2]}]}],
  "breaks": [{"reason": "Tensor.item", "where": ["m.py:3 in forward: x.item()"]}]})json";

TEST_F(ViewTest, ReadsTheGraphsAndBreaksOfPyTorch) {
  const auto read = TorchGraphsFromJson(*ParseJson(kTorch, "test"), "test");
  ASSERT_TRUE(read.ok()) << read.error().message;
  const std::string text = Text(read->graphs[0], {});
  EXPECT_THAT(text, HasSubstr("float32 1x4  fc      x, *fc.weight 4x8, None\n"));
  EXPECT_THAT(text, HasSubstr("1 call, 32 parameters (32), 32 multiply-adds (32)\n"));
  EXPECT_THAT(Text(read->breaks, {}), HasSubstr("Tensor.item\n  m.py:3 in forward: x.item()\n"));
}

TEST_F(ViewTest, RefusesGraphsThatNameItemsThatAreNotThere) {
  std::string text = kTorch;
  text.replace(text.find("\"results\": [2]"), 14, "\"results\": [7]");
  EXPECT_FALSE(TorchGraphsFromJson(*ParseJson(text, "test"), "test").ok());
  EXPECT_FALSE(TorchGraphsFromJson(Json::object(), "test").ok());
}

}  // namespace
}  // namespace assay::view
