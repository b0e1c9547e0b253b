#include "zoo/checkpoint.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>

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
  tensors[2].type.dtype = DType::kFloat16;
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
  EXPECT_NE(message.find("conv1.weight is float16 16x3x3x3"), std::string::npos) << message;
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

TEST_F(CheckpointTest, SaysWhichFileIsMissing) {
  const auto model = Build();
  EXPECT_EQ(model.error().code, Code::kNotFound);
  EXPECT_NE(model.error().message.find("w.safetensors"), std::string::npos);
}

}  // namespace
}  // namespace assay::zoo
