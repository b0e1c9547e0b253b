#include "tensor/safetensors.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstring>

namespace assay::tensor {
namespace {

class SafetensorsTest : public ::testing::Test {
 protected:
  SafetensorsTest() {
    const auto* test = ::testing::UnitTest::GetInstance()->current_test_info();
    folder_ = std::filesystem::path(::testing::TempDir()) / "assay_safetensors" / test->name();
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directories(folder_);
  }
  ~SafetensorsTest() override { std::filesystem::remove_all(folder_); }

  std::filesystem::path Path() const { return folder_ / "a.safetensors"; }

  /// Opens a file of this header and `data` zero bytes behind it.
  Result<SafetensorsFile> OpenWith(const std::string& header, std::size_t data) {
    return OpenWith(header.size(), header, data);
  }
  Result<SafetensorsFile> OpenWith(std::uint64_t length, const std::string& header,
                                   std::size_t data) {
    std::string content(8, '\0');
    std::memcpy(content.data(), &length, 8);
    content += header + std::string(data, '\0');
    EXPECT_TRUE(WriteFileAtomically(Path(), content).ok());
    return SafetensorsFile::Open(Path());
  }
  void ExpectMalformed(const Result<SafetensorsFile>& file, const std::string& part) {
    ASSERT_FALSE(file.ok());
    EXPECT_EQ(file.error().code, Code::kMalformed);
    EXPECT_NE(file.error().message.find(part), std::string::npos) << file.error().message;
    EXPECT_NE(file.error().message.find(Path().string()), std::string::npos);
    EXPECT_EQ(file.error().message.find('\n'), std::string::npos);
  }

  std::filesystem::path folder_;
};

/// A tensor whose bytes are 1, 2, 3, ...
Tensor Make(const std::string& name, const Type& type, std::size_t bytes) {
  Tensor tensor;
  tensor.name = name;
  tensor.type = type;
  for (std::size_t i = 1; i <= bytes; ++i) {
    tensor.data.push_back(static_cast<std::byte>(i));
  }
  return tensor;
}

constexpr char kOne[] = R"({"a":{"dtype":"F32","shape":[2,3],"data_offsets":[0,24]}})";

TEST_F(SafetensorsTest, ReadsAFileWithMetadata) {
  const auto file = OpenWith(
      R"({"__metadata__":{"format":"pt"},"b":{"dtype":"I64","shape":[],"data_offsets":[24,32]},)"
      R"("a":{"dtype":"F32","shape":[2,3],"data_offsets":[0,24]}}   )",
      32);
  ASSERT_TRUE(file.ok()) << file.error().message;
  ASSERT_EQ(file->entries().size(), 2u);
  EXPECT_EQ(file->entries()[0].name, "a");
  EXPECT_EQ(file->entries()[0].type, (Type{DType::kFloat32, {2, 3}}));
  EXPECT_EQ(file->Find("b")->bytes, 8u);
  EXPECT_EQ(file->Find("c"), nullptr);
}

TEST_F(SafetensorsTest, ReadsBackWhatItWrote) {
  std::vector<Tensor> tensors;
  tensors.push_back(Make("x", {DType::kUInt8, {3}}, 3));
  tensors.push_back(Make("empty", {DType::kFloat64, {0, 4}}, 0));
  tensors.push_back(Make("y", {DType::kInt16, {1}}, 2));
  ASSERT_TRUE(WriteSafetensors(Path(), tensors).ok());
  const auto file = SafetensorsFile::Open(Path());
  ASSERT_TRUE(file.ok()) << file.error().message;
  for (const Tensor& tensor : tensors) {
    const Tensor read = file->Read(*file->Find(tensor.name));
    EXPECT_EQ(read.type, tensor.type);
    EXPECT_EQ(read.data, tensor.data);
  }
  EXPECT_EQ(file->entries()[0].offset % 64, 0u);
}

TEST_F(SafetensorsTest, LaysOutAsItWrites) {
  for (int length = 1; length < 70; ++length) {  // each padding once
    const std::vector<Declared> declared = {{std::string(length, 'n'), {DType::kInt8, {5}}},
                                            {"z", {DType::kInt8, {length}}}};
    const std::vector<Entry> planned = LayOut(declared);
    ASSERT_TRUE(WriteSafetensors(Path(), declared, [&](std::size_t i, const auto& sink) {
                  return sink(std::vector<std::byte>(planned[i].bytes));
                }).ok());
    const auto file = SafetensorsFile::Open(Path());
    ASSERT_TRUE(file.ok()) << file.error().message;
    EXPECT_EQ(file->entries()[0].offset, planned[0].offset);
    EXPECT_EQ(file->entries()[1].offset, planned[1].offset);
    EXPECT_EQ(planned[0].offset % 64, 0u);
  }
}

TEST_F(SafetensorsTest, LeavesNoFileWhenATensorGotTooFewBytes) {
  const Status status = WriteSafetensors(
      Path(), {{"a", {DType::kInt8, {5}}}},
      [](std::size_t, const auto& sink) { return sink(std::vector<std::byte>(4)); });
  EXPECT_EQ(status.error().message, "tensor 'a' was given 4 bytes of 5");
  EXPECT_TRUE(std::filesystem::is_empty(folder_));
}

TEST_F(SafetensorsTest, RefusesToWriteTwoTensorsOfOneName) {
  const std::vector<Declared> declared(2, {"a", {DType::kInt8, {0}}});
  const Status status =
      WriteSafetensors(Path(), declared, [](std::size_t, const auto&) { return Status(); });
  EXPECT_EQ(status.error().code, Code::kInvalidArgument);
}

TEST_F(SafetensorsTest, RefusesFilesTooShortForALength) {
  ASSERT_TRUE(WriteFileAtomically(Path(), "1234567").ok());
  ExpectMalformed(SafetensorsFile::Open(Path()), "7 bytes");
  ASSERT_TRUE(WriteFileAtomically(Path(), "").ok());
  ExpectMalformed(SafetensorsFile::Open(Path()), "0 bytes");
}

TEST_F(SafetensorsTest, RefusesLyingHeaderLengths) {
  ExpectMalformed(OpenWith(1000, kOne, 24), "claims a header of 1000 bytes");
  ExpectMalformed(OpenWith(UINT64_MAX, kOne, 24), "claims a header of 18446744073709551615");
  ExpectMalformed(OpenWith(sizeof kOne - 3, kOne, 24), "not a JSON object");
  ExpectMalformed(OpenWith(0, kOne, 24), "not a JSON object");
}

TEST_F(SafetensorsTest, RefusesHeadersThatAreNoObject) {
  ExpectMalformed(OpenWith("[1]", 0), "not a JSON object");
  ExpectMalformed(OpenWith("{\"a\xff\":1}", 0), "not a JSON object");
  ExpectMalformed(OpenWith(std::string(1'000'000, '['), 0), "not a JSON object");
  ExpectMalformed(OpenWith(R"({"a":3})", 0), "\"a\" is not described by an object");
}

TEST_F(SafetensorsTest, RefusesUnknownOrMissingDTypes) {
  ExpectMalformed(OpenWith(R"({"a":{"dtype":"F4","shape":[],"data_offsets":[0,4]}})", 4),
                  "unknown dtype \"F4\"");
  ExpectMalformed(OpenWith(R"({"a":{"shape":[],"data_offsets":[0,4]}})", 4), "no 'dtype'");
}

TEST_F(SafetensorsTest, RefusesShapesThatAreNegativeFractionsOrOverflow) {
  ExpectMalformed(OpenWith(R"({"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}})", 4),
                  "'shape' is no list");
  ExpectMalformed(OpenWith(R"({"a":{"dtype":"F32","shape":[1.5],"data_offsets":[0,4]}})", 4),
                  "'shape' is no list");
  ExpectMalformed(OpenWith(R"({"a":{"dtype":"F32","shape":1,"data_offsets":[0,4]}})", 4),
                  "no list 'shape'");
  ExpectMalformed(  // 2^64 elements: the product in 64 bits is 0
      OpenWith(R"({"a":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,0]}})", 0),
      "too many elements");
}

TEST_F(SafetensorsTest, RefusesByteCountsThatDoNotMatchTheShape) {
  ExpectMalformed(OpenWith(R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}})", 4),
                  "has 4 bytes, but float32 of 2 takes 8");
}

TEST_F(SafetensorsTest, RefusesOffsetsOutsideTheFile) {
  ExpectMalformed(OpenWith(kOne, 23), "ends at byte 24 of 23");
  ExpectMalformed(OpenWith(R"({"a":{"dtype":"I8","shape":[0],"data_offsets":[9000000000000000000,)"
                           R"(9000000000000000000]}})",
                           4),
                  "ends at byte");
  ExpectMalformed(OpenWith(R"({"a":{"dtype":"I8","shape":[1],"data_offsets":[1,0]}})", 4),
                  "no [begin, end]");
}

TEST_F(SafetensorsTest, RefusesOverlapsAndHoles) {
  const auto two = [](int begin) {
    return fmt::format(R"({{"a":{{"dtype":"I8","shape":[4],"data_offsets":[0,4]}},)"
                       R"("b":{{"dtype":"I8","shape":[4],"data_offsets":[{},{}]}}}})",
                       begin, begin + 4);
  };
  EXPECT_TRUE(OpenWith(two(4), 8).ok());
  ExpectMalformed(OpenWith(two(3), 8), "\"b\" overlaps another");
  ExpectMalformed(OpenWith(two(5), 9), "bytes before it that nobody claims");
  ExpectMalformed(OpenWith(two(4), 9), "1 bytes at the end");
}

TEST_F(SafetensorsTest, PrintsHostileNamesOnOneLine) {
  const std::string name = "evil\\n\\u001b[31m" + std::string(5000, 'x');
  const auto file = OpenWith("{\"" + name + "\":3}", 0);
  ExpectMalformed(file, "evil\\n\\u001b");
  EXPECT_LT(file.error().message.size(), 500u);
}

}  // namespace
}  // namespace assay::tensor
