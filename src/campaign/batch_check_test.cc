#include "campaign/batch_check.h"

#include <gmock/gmock.h>

#include <cstring>

#include "tensor/safetensors.h"

namespace assay::campaign {
namespace {

using ::testing::ElementsAre;

/// A graph with the input "x" of three rows of two.
model::Graph ThreeRows() {
  model::Graph graph;
  model::Value x;
  x.name = "x";
  x.type = {tensor::DType::kFloat32, {3, 2}};
  graph.values.push_back(x);
  graph.inputs = {0};
  return graph;
}

std::vector<float> Read(const tensor::SafetensorsFile& file, const std::string& name) {
  const tensor::Entry* entry = file.Find(name);
  EXPECT_NE(entry, nullptr) << name;
  std::vector<float> values(entry->bytes / sizeof(float));
  std::memcpy(values.data(), file.Bytes(*entry).data(), entry->bytes);
  return values;
}

TEST(BatchCheckTest, CutsSetsIntoPiecesAndFillsTheLastUp) {
  const auto folder = std::filesystem::path(::testing::TempDir()) / "assay_pieces";
  std::filesystem::remove_all(folder);
  const auto inputs = DrawInputs(ThreeRows(), 0, folder);
  ASSERT_TRUE(inputs.ok()) << inputs.error().message;
  const auto pieces = CutInputs(ThreeRows(), *inputs, 2, folder);
  ASSERT_TRUE(pieces.ok()) << pieces.error().message;
  EXPECT_EQ(pieces->per_set, 2);
  const auto whole = tensor::SafetensorsFile::Open(inputs->file);
  const auto cut = tensor::SafetensorsFile::Open(pieces->file);
  for (int set = 0; set < kInputSets; ++set) {
    const auto x = Read(*whole, "x." + std::to_string(set));
    EXPECT_THAT(Read(*cut, "x." + std::to_string(2 * set)), ElementsAre(x[0], x[1], x[2], x[3]));
    EXPECT_THAT(Read(*cut, "x." + std::to_string(2 * set + 1)),
                ElementsAre(x[4], x[5], x[0], x[1]));
  }
  std::filesystem::remove_all(folder);
}

TEST(BatchCheckTest, PutsThePiecesOfOutputsTogether) {
  const Outputs pieces = {{"y", {.shape = {2, 1}, .sets = {{1, 2}, {3, 1}, {10, 20}, {30, 10}}}}};
  const auto stacked = Stack(pieces, 2, 3, 2);
  ASSERT_TRUE(stacked.ok()) << stacked.error().message;
  EXPECT_EQ(stacked->at("y").shape, (tensor::Shape{3, 1}));
  EXPECT_THAT(stacked->at("y").sets, ElementsAre(ElementsAre(1, 2, 3), ElementsAre(10, 20, 30)));
}

TEST(BatchCheckTest, RefusesOutputsThatAreNoBatches) {
  const Outputs pieces = {{"y", {.shape = {3}, .sets = {{1, 2, 3}, {1, 2, 3}}}}};
  EXPECT_FALSE(Stack(pieces, 2, 4, 2).ok());
}

}  // namespace
}  // namespace assay::campaign
