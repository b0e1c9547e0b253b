#include "campaign/calibration.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <cstring>
#include <limits>

#include "base/file.h"
#include "tensor/safetensors.h"

namespace assay::campaign {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class CalibrationTest : public ::testing::Test {
 protected:
  CalibrationTest() {
    std::string pattern = ::testing::TempDir() + "calibration-XXXXXX";
    folder_ = ::mkdtemp(pattern.data());
    AddInput("x", tensor::DType::kFloat32, {2, 3});
  }
  ~CalibrationTest() override { std::filesystem::remove_all(folder_); }

  void AddInput(const char* name, tensor::DType dtype, tensor::Shape shape) {
    graph_.inputs.push_back(static_cast<model::ValueId>(graph_.values.size()));
    graph_.values.emplace_back().name = name;
    graph_.values.back().type = {dtype, std::move(shape)};
  }
  /// float32 elements first, first + 1, ...
  void Write(const std::string& file, const tensor::Shape& shape, float first,
             const char* type = "<f4") {
    std::string tuple;
    for (const std::int64_t dimension : shape) {
      tuple += std::to_string(dimension) + ",";
    }
    const std::string header = std::string("{'descr': '") + type +
                               "', 'fortran_order': False, 'shape': (" + tuple + "), }";
    std::string bytes("\x93NUMPY\1\0", 8);
    bytes += static_cast<char>(header.size());
    bytes += '\0' + header;
    for (std::uint64_t i = 0; i < *tensor::ElementCount(shape); ++i) {
      const float value = first + static_cast<float>(i);
      bytes.append(reinterpret_cast<const char*>(&value), sizeof value);
    }
    std::filesystem::create_directories((folder_ / "given" / file).parent_path());
    ASSERT_TRUE(WriteFileAtomically(folder_ / "given" / file, bytes).ok());
  }
  Result<Calibration> Read() {
    return ReadCalibration(graph_, folder_ / "given", folder_ / "inputs");
  }
  std::vector<float> Sample(const Calibration& calibration, const char* name) {
    const auto file = tensor::SafetensorsFile::Open(calibration.file);
    const tensor::Entry* entry = file->Find(name);
    EXPECT_NE(entry, nullptr) << name;
    const tensor::Tensor read = file->Read(*entry);
    std::vector<float> values(read.data.size() / sizeof(float));
    std::memcpy(values.data(), read.data.data(), read.data.size());
    return values;
  }
  std::string Refusal() {
    const auto read = Read();
    EXPECT_FALSE(read.ok());
    return read.ok() ? "" : read.error().message + " | " + read.error().hint;
  }

  std::filesystem::path folder_;
  model::Graph graph_;
};

TEST_F(CalibrationTest, MakesSamplesOfTheRowsOfAllFilesInTheOrderOfTheirNames) {
  Write("b.npy", {3, 3}, 3);
  Write("a.npy", {1, 3}, 0);
  Write("c.npy", {3}, 12);
  Write("d.txt.npy", {1, 3}, 15);
  const auto read = Read();
  ASSERT_TRUE(read.ok()) << read.error().message;
  EXPECT_EQ(read->samples, 3);
  EXPECT_EQ(read->dropped, 0);
  EXPECT_EQ(read->source, "files");
  EXPECT_THAT(Sample(*read, "x.0"), ElementsAre(0, 1, 2, 3, 4, 5));
  EXPECT_THAT(Sample(*read, "x.2"), ElementsAre(12, 13, 14, 15, 16, 17));
}

TEST_F(CalibrationTest, LeavesRowsOverThatFillNoSample) {
  Write("x/a.npy", {5, 3}, 0);
  const auto read = Read();
  ASSERT_TRUE(read.ok()) << read.error().message;
  EXPECT_EQ(read->samples, 2);
  EXPECT_EQ(read->dropped, 1);
}

TEST_F(CalibrationTest, IsKnownByItsContent) {
  Write("a.npy", {2, 3}, 0);
  const auto one = Read(), again = Read();
  Write("a.npy", {2, 3}, 1);
  const auto other = Read();
  ASSERT_TRUE(one.ok() && again.ok() && other.ok());
  EXPECT_EQ(one->sha256, again->sha256);
  EXPECT_NE(one->sha256, other->sha256);
  EXPECT_NE(one->file, other->file);
}

TEST_F(CalibrationTest, WantsTheSameFilesForEachOfSeveralInputs) {
  AddInput("y", tensor::DType::kFloat32, {2});
  Write("a.npy", {2, 3}, 0);
  EXPECT_THAT(Refusal(), HasSubstr("holds .npy files, but the model has 2 inputs | a folder in it "
                                   "for each input: x (float32 2x3), y (float32 2)"));
  std::filesystem::remove_all(folder_ / "given");
  Write("x/a.npy", {2, 3}, 0);
  EXPECT_THAT(Refusal(), HasSubstr("no .npy file for the input 'y' | float32 2 in"));
  Write("y/b.npy", {2}, 0);
  EXPECT_THAT(Refusal(), HasSubstr("calibration file a.npy is there for one of the inputs 'x' and "
                                   "'y' only"));
  std::filesystem::remove(folder_ / "given/y/b.npy");
  Write("y/a.npy", {4}, 0);
  EXPECT_THAT(Refusal(), HasSubstr("hold 1 samples for the input 'x', but 2 for 'y'"));
  Write("y/a.npy", {2}, 7);
  const auto read = Read();
  ASSERT_TRUE(read.ok()) << read.error().message;
  EXPECT_THAT(Sample(*read, "y.0"), ElementsAre(7, 8));
}

TEST_F(CalibrationTest, NamesFileTypeAndShapeOfWhatDoesNotFit) {
  Write("a.npy", {2, 4}, 0);
  EXPECT_THAT(Refusal(),
              HasSubstr("given/a.npy is float32 2x4, but the input 'x' takes float32 2x3"));
  Write("a.npy", {2, 3}, 0, "<i4");
  EXPECT_THAT(Refusal(), HasSubstr("is int32 2x3, but the input 'x' takes float32 2x3"));
  Write("a.npy", {1, 2, 3}, 0);
  EXPECT_THAT(Refusal(), HasSubstr("is float32 1x2x3, but"));
  Write("a.npy", {0, 3}, 0);
  EXPECT_THAT(Refusal(), HasSubstr("is float32 0x3, but"));
  Write("a.npy", {1, 3}, 0);
  EXPECT_THAT(Refusal(), HasSubstr("hold 1 rows for the input 'x', and one sample takes 2"));
  Write("a.npy", {2, 3}, std::numeric_limits<float>::infinity());
  EXPECT_THAT(Refusal(), HasSubstr("given/a.npy holds NaN or infinity"));
}

TEST_F(CalibrationTest, WantsAFolderWithFilesInOnePlace) {
  EXPECT_THAT(Refusal(), HasSubstr("given: no such folder"));
  std::filesystem::create_directories(folder_ / "given");
  EXPECT_THAT(Refusal(), HasSubstr("given: no .npy file for the input 'x'"));
  Write("a.npy", {2, 3}, 0);
  Write("x/a.npy", {2, 3}, 0);
  EXPECT_THAT(Refusal(), HasSubstr("given holds .npy files and so does"));
}

}  // namespace
}  // namespace assay::campaign
