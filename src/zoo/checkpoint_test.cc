// A user's weights for a model of the zoo.
#include "tensor/checkpoint.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstring>

#include "base/file.h"
#include "base/json.h"
#include "zoo/zoo.h"

namespace assay::zoo {
namespace {

using tensor::Declared;
using tensor::DType;

class CheckpointTest : public ::testing::Test {
 protected:
  CheckpointTest() {
    const auto* test = ::testing::UnitTest::GetInstance()->current_test_info();
    folder_ = std::filesystem::path(::testing::TempDir()) / "assay_checkpoint" / test->name();
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directories(folder_);
  }
  ~CheckpointTest() override { std::filesystem::remove_all(folder_); }

  std::filesystem::path Path() const { return folder_ / "w.safetensors"; }

  /// Writes a checkpoint whose bytes are all `fill`.
  void Write(const std::vector<Declared>& tensors, std::byte fill = std::byte{0}) {
    const auto entries = tensor::LayOut(tensors);
    ASSERT_TRUE(tensor::WriteSafetensors(Path(), tensors, [&](std::size_t i, const auto& sink) {
                  return sink(std::vector<std::byte>(entries[i].bytes, fill));
                }).ok());
  }

  Result<model::Model> Build() {
    return zoo::Build(*Find("simplecnn"), {.weights = Path()}, folder_ / "cache");
  }

  std::vector<Declared> Good() const {
    return {{"fc.bias", {DType::kFloat32, {10}}},
            {"fc.weight", {DType::kFloat32, {10, 100352}}},
            {"conv1.weight", {DType::kFloat32, {16, 3, 3, 3}}},
            {"conv1.bias", {DType::kFloat32, {16}}},
            {"conv2.weight", {DType::kFloat32, {32, 16, 3, 3}}},
            {"conv2.bias", {DType::kFloat32, {32}}},
            {"bn.num_batches_tracked", {DType::kInt64, {}}}};
  }

  std::filesystem::path folder_;
};

TEST_F(CheckpointTest, TakesTensorsInAnyOrderWithoutTheCountersOfTraining) {
  Write(Good(), std::byte{0x3f});
  const auto model = Build();
  ASSERT_TRUE(model.ok()) << model.error().message;
  EXPECT_EQ(model->weights, "file");
  EXPECT_EQ(model->parameters, 1008618u);
  const auto written = tensor::SafetensorsFile::Open(model->folder / "model.safetensors");
  ASSERT_TRUE(written.ok());
  EXPECT_EQ(written->entries().size(), 6u);
  EXPECT_EQ(written->Bytes(*written->Find("fc.bias"))[7], std::byte{0x3f});
}

TEST_F(CheckpointTest, NamesWhatDoesNotFit) {
  std::vector<Declared> tensors = Good();
  tensors[0].name = "head.bias";
  tensors[1].type.shape = {10, 100};
  tensors[2].type.dtype = DType::kInt32;
  Write(tensors);
  const auto model = Build();
  ASSERT_FALSE(model.ok());
  EXPECT_EQ(model.error().code, Code::kInvalidArgument);
  const std::string& message = model.error().message;
  EXPECT_NE(message.find("missing: fc.bias (did you mean head.bias?)"), std::string::npos)
      << message;
  EXPECT_NE(message.find("fc.weight is float32 10x100 instead of float32 10x100352"),
            std::string::npos)
      << message;
  EXPECT_NE(message.find("conv1.weight is int32 16x3x3x3"), std::string::npos) << message;
  EXPECT_NE(message.find("unexpected: head.bias"), std::string::npos) << message;
  EXPECT_FALSE(std::filesystem::exists(folder_ / "cache") &&
               !std::filesystem::is_empty(folder_ / "cache"));
}

TEST_F(CheckpointTest, BuildsAnewWhenTheFileChanges) {
  Write(Good(), std::byte{1});
  const std::string before = Build()->sha256;
  Write(Good(), std::byte{2});
  EXPECT_NE(Build()->sha256, before);
}

TEST_F(CheckpointTest, FindsTheModelThatItBuiltFromTheSameContent) {
  Write(Good(), std::byte{1});
  const auto first = Build();
  std::filesystem::rename(Path(), folder_ / "moved.safetensors");
  const auto second =
      zoo::Build(*Find("simplecnn"), {.weights = folder_ / "moved.safetensors"}, folder_ / "cache");
  EXPECT_EQ(second->folder, first->folder);
  Write(Good(), std::byte{2});
  std::filesystem::last_write_time(  // as a copy that keeps times would leave it
      Path(), std::filesystem::last_write_time(folder_ / "moved.safetensors"));
  EXPECT_NE(Build()->folder, first->folder);
}

TEST_F(CheckpointTest, WidensHalvesAndRoundsDoubles) {
  std::vector<Declared> tensors = Good();
  tensors[0].type.dtype = DType::kBFloat16;
  tensors[3].type.dtype = DType::kFloat16;
  tensors[5].type.dtype = DType::kFloat64;
  Write(tensors, std::byte{0x3c});
  const auto model = Build();
  ASSERT_TRUE(model.ok()) << model.error().message;
  const auto written = tensor::SafetensorsFile::Open(model->folder / "model.safetensors");
  const auto first = [&](const char* name) {
    float value;
    std::memcpy(&value, written->Bytes(*written->Find(name)).data(), sizeof value);
    EXPECT_EQ(written->Find(name)->type.dtype, DType::kFloat32) << name;
    return value;
  };
  EXPECT_EQ(first("fc.bias"), 0x1.78p-7F);                                    // 0x3c3c as bfloat16
  EXPECT_EQ(first("conv1.bias"), 0x1.0fp+0F);                                 // 0x3c3c as float16
  EXPECT_EQ(first("conv2.bias"), static_cast<float>(0x1.c3c3c3c3c3c3cp-60));  // 0x3c3c... as double
}

TEST_F(CheckpointTest, RefusesADoubleThatFloat32CannotHold) {
  std::vector<Declared> tensors = Good();
  tensors[0].type.dtype = DType::kFloat64;
  Write(tensors, std::byte{0x7e});
  const auto model = Build();
  ASSERT_FALSE(model.ok());
  EXPECT_EQ(model.error().code, Code::kInvalidArgument);
  EXPECT_NE(model.error().message.find("tensor fc.bias: 2.04217e+301 is beyond float32"),
            std::string::npos)
      << model.error().message;
}

TEST_F(CheckpointTest, ReadsShards) {
  Write(Good(), std::byte{3});
  const std::string whole = Build()->sha256;
  const std::vector<Declared> all = Good();
  Json map = Json::object();
  for (const std::size_t shard : {0u, 1u}) {
    std::vector<tensor::Tensor> tensors;
    for (std::size_t i = shard; i < all.size(); i += 2) {
      const std::size_t bytes =
          *tensor::ElementCount(all[i].type.shape) * tensor::SizeOf(all[i].type.dtype);
      tensors.push_back({all[i].name, all[i].type, std::vector<std::byte>(bytes, std::byte{3})});
      map[all[i].name] = fmt::format("{}.safetensors", shard);
    }
    ASSERT_TRUE(
        tensor::WriteSafetensors(folder_ / fmt::format("{}.safetensors", shard), tensors).ok());
  }
  const auto index = folder_ / "model.safetensors.index.json";
  ASSERT_TRUE(WriteFileAtomically(index, Json{{"weight_map", map}}.dump()).ok());
  const auto model = zoo::Build(*Find("simplecnn"), {.weights = index}, folder_ / "cache2");
  ASSERT_TRUE(model.ok()) << model.error().message;
  EXPECT_EQ(model->sha256, whole);
}

TEST_F(CheckpointTest, SaysWhichFileIsMissing) {
  const auto model = Build();
  EXPECT_EQ(model.error().code, Code::kNotFound);
  EXPECT_NE(model.error().message.find("w.safetensors"), std::string::npos);
}

}  // namespace
}  // namespace assay::zoo
