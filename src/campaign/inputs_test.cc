#include "campaign/inputs.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <cstring>
#include <set>

#include "base/file.h"
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

  /// A .npy file of float32 elements 0, 1, 2, ...
  InputFile Npy(const char* name, const tensor::Shape& shape) {
    std::string tuple;
    for (const std::int64_t dimension : shape) {
      tuple += std::to_string(dimension) + ",";
    }
    const std::string header =
        "{'descr': '<f4', 'fortran_order': False, 'shape': (" + tuple + "), }";
    std::string file("\x93NUMPY\1\0", 8);
    file += static_cast<char>(header.size());
    file += '\0' + header;
    for (std::uint64_t i = 0; i < *tensor::ElementCount(shape); ++i) {
      const auto value = static_cast<float>(i);
      file.append(reinterpret_cast<const char*>(&value), sizeof value);
    }
    EXPECT_TRUE(WriteFileAtomically(folder_ / "a.npy", file).ok());
    return {name, folder_ / "a.npy"};
  }
  std::vector<float> Given(const Inputs& inputs, const char* name) {
    const auto file = tensor::SafetensorsFile::Open(inputs.file);
    const tensor::Tensor read = file->Read(*file->Find(name));
    std::vector<float> values(read.data.size() / sizeof(float));
    std::memcpy(values.data(), read.data.data(), read.data.size());
    return values;
  }
  void ExpectRefused(const std::vector<InputFile>& files, const std::string& part) {
    const auto inputs = DrawInputs(graph_, 0, folder_, files);
    ASSERT_FALSE(inputs.ok()) << part;
    EXPECT_EQ(inputs.error().code, Code::kInvalidArgument);
    EXPECT_NE(inputs.error().message.find(part), std::string::npos) << inputs.error().message;
  }

  model::Graph graph_;
  std::filesystem::path folder_;
};

TEST_F(InputsTest, UseAnArrayOfTheInputsShapeInEverySet) {
  Add("x", tensor::DType::kFloat32, {1, 3});
  const auto inputs = DrawInputs(graph_, 0, folder_, {Npy("x", {1, 3})});
  ASSERT_TRUE(inputs.ok()) << inputs.error().message;
  EXPECT_TRUE(inputs->fixed);
  for (const char* set : {"x.0", "x.3"}) {
    EXPECT_EQ(Given(*inputs, set), (std::vector<float>{0, 1, 2})) << set;
  }
}

TEST_F(InputsTest, CutAnArrayOfSeveralSets) {
  Add("x", tensor::DType::kFloat32, {1, 3});
  for (const tensor::Shape& shape : {tensor::Shape{4, 3}, tensor::Shape{4, 1, 3}}) {
    const auto inputs = DrawInputs(graph_, 0, folder_, {Npy("x", shape)});
    ASSERT_TRUE(inputs.ok()) << inputs.error().message;
    EXPECT_FALSE(inputs->fixed);
    EXPECT_EQ(Given(*inputs, "x.0"), (std::vector<float>{0, 1, 2}));
    EXPECT_EQ(Given(*inputs, "x.3"), (std::vector<float>{9, 10, 11}));
  }
}

TEST_F(InputsTest, DrawWhatNoFileGives) {
  Add("x", tensor::DType::kFloat32, {3});
  Add("y", tensor::DType::kFloat32, {3});
  const auto drawn = Drawn<float>("y.2");
  const auto inputs = DrawInputs(graph_, 0, folder_, {Npy("x", {3})});
  EXPECT_FALSE(inputs->fixed);
  EXPECT_EQ(Given(*inputs, "y.2"), drawn);
}

TEST_F(InputsTest, AreOthersWhenTheFileChanges) {
  Add("x", tensor::DType::kFloat32, {4});
  const auto before = DrawInputs(graph_, 0, folder_, {Npy("x", {4})});
  const auto after = DrawInputs(graph_, 0, folder_, {Npy("x", {4, 4})});
  EXPECT_NE(after->sha256, before->sha256);
}

TEST_F(InputsTest, RefuseArraysThatDoNotFit) {
  Add("x", tensor::DType::kFloat32, {1, 3});
  Add("ids", tensor::DType::kInt64, {2});
  ExpectRefused({Npy("x", {3, 1})}, "is float32 3x1, but the input 'x' takes float32 1x3");
  ExpectRefused({Npy("ids", {2})}, "is float32 2, but the input 'ids' takes int64 2");
  ExpectRefused({Npy("idz", {2})}, "the model has no input 'idz' (did you mean ids?)");
  ExpectRefused({Npy("x", {1, 3}), Npy("x", {1, 3})}, "'x' is given more than once");
}

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

TEST_F(InputsTest, OfMasksLeaveSomethingInEachRow) {
  Add("mask", tensor::DType::kInt64, {50, 2});
  const auto mask = Drawn<std::int64_t>("mask.0");
  for (std::size_t row = 0; row < mask.size(); row += 2) {
    EXPECT_EQ(mask[row], 1);
  }
  EXPECT_EQ(std::set<std::int64_t>(mask.begin(), mask.end()), (std::set<std::int64_t>{0, 1}));
}

TEST_F(InputsTest, WriteToNoPlaceTwice) {
  Add("places", tensor::DType::kInt64, {2, 6, 2});
  Add("tuples", tensor::DType::kInt64, {20, 2});
  graph_.values.emplace_back().type = {tensor::DType::kFloat32, {4, 6}};
  model::Node scatter;
  scatter.op = "ScatterElements";
  scatter.inputs = {2, 0, 2};
  scatter.attributes["axis"] = std::int64_t{1};
  graph_.nodes.push_back(scatter);
  scatter.op = "ScatterND";
  scatter.inputs = {2, 1, 2};
  graph_.nodes.push_back(scatter);
  const auto places = Drawn<std::int64_t>("places.1");
  for (const std::size_t lane : {0u, 1u, 12u, 13u}) {
    std::set<std::int64_t> along;
    for (std::size_t i = 0; i < 6; ++i) {
      along.insert(places[lane + 2 * i]);
    }
    EXPECT_EQ(along, (std::set<std::int64_t>{0, 1, 2, 3, 4, 5}));
  }
  const auto tuples = Drawn<std::int64_t>("tuples.1");
  std::set<std::pair<std::int64_t, std::int64_t>> seen;
  for (std::size_t i = 0; i < tuples.size(); i += 2) {
    EXPECT_LT(tuples[i], 4);
    EXPECT_LT(tuples[i + 1], 6);
    seen.insert({tuples[i], tuples[i + 1]});
  }
  EXPECT_EQ(seen.size(), 20u);
}

TEST_F(InputsTest, AreGentlerWhenAsked) {
  Add("x", tensor::DType::kFloat32, {64});
  Add("n", tensor::DType::kInt32, {64});
  const auto usual = DrawInputs(graph_, 0, folder_);
  const auto gentler = DrawInputs(graph_, 0, folder_, {}, kInputSets, 1);
  ASSERT_TRUE(gentler.ok());
  EXPECT_NE(gentler->sha256, usual->sha256);
  for (const float value : Given(*gentler, "x.0")) {
    EXPECT_GE(value, 0.1F);
    EXPECT_LE(value, 0.9F);
  }
  EXPECT_EQ(usual->drawn, (std::vector<std::string>{"in [-1, 1]", "integers 0..4"}));
  EXPECT_EQ(gentler->drawn, (std::vector<std::string>{"in [0.1, 0.9]", "integers 0..1"}));
}

TEST_F(InputsTest, ConvertToHalvesOfTheSameValues) {
  Add("x", tensor::DType::kFloat16, {64});
  for (const std::uint16_t half : Drawn<std::uint16_t>("x.0")) {
    EXPECT_LT(half & 0x7fff, 0x3c00);  // below 1
  }
}

}  // namespace
}  // namespace assay::campaign
