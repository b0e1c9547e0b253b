#include "campaign/inputs.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <cstring>
#include <set>

#include "tensor/safetensors.h"

namespace assay::campaign {
namespace {

class InputsTest : public ::testing::Test {
 protected:
  InputsTest() {
    std::string pattern = ::testing::TempDir() + "inputs-XXXXXX";
    folder_ = ::mkdtemp(pattern.data());
  }
  ~InputsTest() override { std::filesystem::remove_all(folder_); }

  void Add(const char* name, tensor::DType dtype, tensor::Shape shape) {
    graph_.inputs.push_back(static_cast<model::ValueId>(graph_.values.size()));
    graph_.values.emplace_back().name = name;
    graph_.values.back().type = {dtype, std::move(shape)};
  }
  template <typename T>
  std::vector<T> Drawn(const char* name, std::uint64_t seed = 0) {
    const auto inputs = DrawInputs(graph_, seed, folder_);
    EXPECT_TRUE(inputs.ok());
    const auto file = tensor::SafetensorsFile::Open(inputs->file);
    const tensor::Entry* entry = file->Find(name);
    EXPECT_NE(entry, nullptr);
    const tensor::Tensor read = file->Read(*entry);
    std::vector<T> values(read.data.size() / sizeof(T));
    std::memcpy(values.data(), read.data.data(), read.data.size());
    return values;
  }

  model::Graph graph_;
  std::filesystem::path folder_;
};

TEST_F(InputsTest, AreDistinctSetsWithinOne) {
  Add("x", tensor::DType::kFloat32, {1, 3, 8, 8});
  std::set<std::vector<float>> sets;
  for (const char* name : {"x.0", "x.1", "x.2", "x.3"}) {
    const auto values = Drawn<float>(name);
    EXPECT_EQ(values.size(), 192u);
    for (const float value : values) {
      EXPECT_GE(value, -1);
      EXPECT_LT(value, 1);
    }
    sets.insert(values);
  }
  EXPECT_EQ(sets.size(), 4u);
}

TEST_F(InputsTest, DependOnTheSeedAndTheNameAlone) {
  Add("x", tensor::DType::kFloat32, {8});
  const auto before = Drawn<float>("x.0");
  EXPECT_NE(Drawn<float>("x.0", 1), before);
  Add("y", tensor::DType::kFloat32, {8});
  EXPECT_EQ(Drawn<float>("x.0"), before);
  EXPECT_NE(Drawn<float>("y.0"), before);
}

TEST_F(InputsTest, PickRowsOfTheTableThatTheyIndex) {
  Add("ids", tensor::DType::kInt64, {1, 500});
  graph_.values.emplace_back().type = {tensor::DType::kFloat32, {30, 4}};
  model::Node gather;
  gather.op = "Gather";
  gather.inputs = {1, 0};
  graph_.nodes.push_back(gather);
  const auto ids = Drawn<std::int64_t>("ids.0");
  EXPECT_EQ(*std::max_element(ids.begin(), ids.end()), 29);
  EXPECT_EQ(*std::min_element(ids.begin(), ids.end()), 0);
}

TEST_F(InputsTest, AreMasksOtherwise) {
  Add("mask", tensor::DType::kInt64, {1, 100});
  const auto mask = Drawn<std::int64_t>("mask.0");
  EXPECT_EQ(mask.front(), 1);
  EXPECT_EQ(std::set<std::int64_t>(mask.begin(), mask.end()), (std::set<std::int64_t>{0, 1}));
}

TEST_F(InputsTest, ConvertToHalvesOfTheSameValues) {
  Add("x", tensor::DType::kFloat16, {64});
  for (const std::uint16_t half : Drawn<std::uint16_t>("x.0")) {
    EXPECT_LT(half & 0x7fff, 0x3c00);  // below 1
  }
}

}  // namespace
}  // namespace assay::campaign
