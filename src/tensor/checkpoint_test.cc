#include "tensor/checkpoint.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace assay::tensor {
namespace {

class CheckpointTest : public ::testing::Test {
 protected:
  CheckpointTest() {
    const auto* test = ::testing::UnitTest::GetInstance()->current_test_info();
    folder_ = std::filesystem::path(::testing::TempDir()) / "assay_shards" / test->name();
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directories(folder_ / "sub");
  }
  ~CheckpointTest() override { std::filesystem::remove_all(folder_); }

  /// A file of the tensors named, of two bytes each: the name's first letter.
  void WriteShard(const std::string& file, const std::vector<std::string>& names) {
    std::vector<Tensor> tensors;
    for (const std::string& name : names) {
      tensors.push_back({name, {DType::kInt8, {2}}, {2, static_cast<std::byte>(name[0])}});
    }
    ASSERT_TRUE(WriteSafetensors(folder_ / file, tensors).ok());
  }

  Result<Checkpoint> OpenIndex(const std::string& text) {
    EXPECT_TRUE(WriteFileAtomically(folder_ / "m.safetensors.index.json", text).ok());
    return Checkpoint::Open(folder_ / "m.safetensors.index.json");
  }

  void ExpectMalformed(const std::string& index, const std::string& part) {
    const auto opened = OpenIndex(index);
    ASSERT_FALSE(opened.ok()) << index;
    EXPECT_EQ(opened.error().code, Code::kMalformed) << opened.error().message;
    EXPECT_NE(opened.error().message.find(part), std::string::npos) << opened.error().message;
    EXPECT_EQ(opened.error().message.find('\n'), std::string::npos);
  }

  std::filesystem::path folder_;
};

constexpr char kIndex[] =
    R"({"metadata":{"total_size":6},"weight_map":{"b":"1.safetensors","a":"sub/2.safetensors",)"
    R"("c":"1.safetensors"}})";

TEST_F(CheckpointTest, ReadsShardsAsOneSetOfTensors) {
  WriteShard("1.safetensors", {"b", "c"});
  WriteShard("sub/2.safetensors", {"a"});
  const auto sharded = OpenIndex(kIndex);
  ASSERT_TRUE(sharded.ok()) << sharded.error().message;
  ASSERT_EQ(sharded->tensors().size(), 3u);
  EXPECT_EQ(sharded->Find("a")->bytes[1], std::byte{'a'});
  EXPECT_EQ(sharded->Find("c")->bytes[0], std::byte{'c'});
  EXPECT_EQ(sharded->Find("d"), nullptr);
  WriteShard("whole.safetensors", {"c", "a", "b"});
  EXPECT_EQ(Checkpoint::Open(folder_ / "whole.safetensors")->Sha256Sum(), sharded->Sha256Sum());
}

TEST_F(CheckpointTest, HashesNamesAndBytes) {
  WriteShard("x.safetensors", {"a", "b"});
  WriteShard("y.safetensors", {"a", "bb"});
  const auto hash = [&](const char* file) { return Checkpoint::Open(folder_ / file)->Sha256Sum(); };
  EXPECT_NE(hash("x.safetensors"), hash("y.safetensors"));
}

TEST_F(CheckpointTest, FollowsLinksOfACache) {
  WriteShard("sub/blob", {"a"});
  std::filesystem::create_symlink("sub/blob", folder_ / "1.safetensors");
  const auto opened = OpenIndex(R"({"weight_map":{"a":"1.safetensors"}})");
  EXPECT_TRUE(opened.ok()) << opened.error().message;
}

TEST_F(CheckpointTest, RefusesIndexesThatAreNone) {
  ExpectMalformed("", "no 'weight_map'");
  ExpectMalformed("{", "no 'weight_map'");
  ExpectMalformed("[]", "no 'weight_map'");
  ExpectMalformed("{}", "no 'weight_map'");
  ExpectMalformed(R"({"weight_map":[]})", "no 'weight_map'");
  ExpectMalformed(R"({"weight_map":{}})", "no 'weight_map'");
  ExpectMalformed(R"({"weight_map":{"a":1}})", "\"a\" is in no file");
  ExpectMalformed(std::string(1'000'000, '['), "no 'weight_map'");
}

TEST_F(CheckpointTest, RefusesShardsOutsideTheFolder) {
  WriteShard("1.safetensors", {"a"});
  for (const std::string& path :
       std::vector<std::string>{"../1.safetensors", "/etc/passwd", "sub/../../1.safetensors", "",
                                "1.safetensors\\u0000"}) {
    ExpectMalformed(fmt::format(R"({{"weight_map":{{"a":"{}"}}}})", path),
                    "not below the index's folder");
  }
}

TEST_F(CheckpointTest, RefusesIndexesThatLie) {
  WriteShard("1.safetensors", {"b", "c"});
  WriteShard("sub/2.safetensors", {"d"});
  ExpectMalformed(kIndex, "\"sub/2.safetensors\" has the tensor \"d\"");
  ExpectMalformed(R"({"weight_map":{"b":"1.safetensors"}})", "has the tensor \"c\"");
  ExpectMalformed(R"({"weight_map":{"b":"1.safetensors","c":"1.safetensors","e":"1.safetensors"}})",
                  "tensor \"e\" is not in \"1.safetensors\"");
}

TEST_F(CheckpointTest, SaysWhichShardIsMissingOrDamaged) {
  const auto missing = OpenIndex(R"({"weight_map":{"a":"gone.safetensors"}})");
  EXPECT_EQ(missing.error().code, Code::kNotFound);
  EXPECT_NE(missing.error().message.find("gone.safetensors"), std::string::npos);
  ASSERT_TRUE(WriteFileAtomically(folder_ / "cut.safetensors", "1234567").ok());
  ExpectMalformed(R"({"weight_map":{"a":"cut.safetensors"}})", "cut.safetensors");
}

TEST_F(CheckpointTest, PrintsHostileNamesOnOneLine) {
  ExpectMalformed(
      "{\"weight_map\":{\"evil\\n\\u001b[31m" + std::string(5000, 'x') + "\":\"../x\"}}",
      "evil\\n\\u001b");
}

}  // namespace
}  // namespace assay::tensor
