#include "tensor/fit.h"

#include <gtest/gtest.h>

namespace assay::tensor {
namespace {

class FitTest : public ::testing::Test {
 protected:
  FitTest() {
    const auto* test = ::testing::UnitTest::GetInstance()->current_test_info();
    folder_ = std::filesystem::path(::testing::TempDir()) / "assay_fit" / test->name();
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directories(folder_);
  }
  ~FitTest() override { std::filesystem::remove_all(folder_); }

  /// A tensor whose bytes are all `fill`.
  void Add(const std::string& name, const Type& type, std::byte fill = std::byte{0}) {
    const std::size_t bytes = *ElementCount(type.shape) * SizeOf(type.dtype);
    tensors_.push_back({name, type, std::vector<std::byte>(bytes, fill)});
  }

  /// "" when they fit, else the complaint. `made_` are the bytes of each of `wanted`.
  std::string FitAll(const std::vector<Declared>& wanted, const Spelling* spelling = nullptr) {
    EXPECT_TRUE(WriteSafetensors(folder_ / "w.safetensors", tensors_).ok());
    const auto checkpoint = Checkpoint::Open(folder_ / "w.safetensors");
    const auto parts = Fit(*checkpoint, wanted, {"w", "m", "h"}, spelling);
    made_.clear();
    for (std::size_t i = 0; parts.ok() && i < wanted.size(); ++i) {
      made_.emplace_back();
      EXPECT_TRUE(Feed((*parts)[i], wanted[i].type.dtype, [&](auto bytes) {
                    made_.back().insert(made_.back().end(), bytes.begin(), bytes.end());
                    return Status();
                  }).ok());
    }
    return parts.ok() ? "" : parts.error().message;
  }

  std::filesystem::path folder_;
  std::vector<Tensor> tensors_;
  std::vector<std::vector<std::byte>> made_;
};

const Type kTwo = {DType::kFloat32, {2}};
const Type kMatrix = {DType::kFloat32, {3, 2}};

TEST_F(FitTest, ListsWhatIsMissingOfAnotherShapeAndUnexpected) {
  Add("fc.wieght", kTwo);
  Add("fc.bias", kMatrix);
  EXPECT_EQ(
      FitAll({{"fc.weight", kTwo}, {"fc.bias", kTwo}}),
      "w does not fit m: missing: fc.weight (did you mean fc.wieght?); other type: fc.bias is "
      "float32 3x2 instead of float32 2; unexpected: fc.wieght");
}

TEST_F(FitTest, ListsAFewOfMany) {
  for (int i = 0; i < 9; ++i) {
    Add("t" + std::to_string(i), kTwo);
  }
  EXPECT_EQ(FitAll({}), "w does not fit m: unexpected: t0, t1, t2, t3, t4 and 4 more");
}

TEST_F(FitTest, WidensToFloat32AndToNothingElse) {
  Add("a", {DType::kBFloat16, {2}}, std::byte{0x3f});
  EXPECT_EQ(FitAll({{"a", kTwo}}), "");
  EXPECT_EQ(made_[0],
            (std::vector<std::byte>{std::byte{0}, std::byte{0}, std::byte{0x3f}, std::byte{0x3f},
                                    std::byte{0}, std::byte{0}, std::byte{0x3f}, std::byte{0x3f}}));
  EXPECT_EQ(FitAll({{"a", {DType::kFloat16, {2}}}}),
            "w does not fit m: other type: a is bfloat16 2 instead of float16 2");
}

TEST_F(FitTest, PassesOverCountersAndMasks) {
  Add("bn.num_batches_tracked", {DType::kInt64, {}});
  Add("embeddings.position_ids", {DType::kInt64, {1, 4}});
  Add("h.0.attn.bias", {DType::kUInt8, {1, 1, 4, 4}});
  Add("h.0.attn.masked_bias", {DType::kFloat32, {}});
  EXPECT_EQ(FitAll({}), "");
  Add("h.1.attn.bias", kTwo);  // no mask
  EXPECT_EQ(FitAll({}), "w does not fit m: unexpected: h.1.attn.bias");
}

TEST_F(FitTest, TakesATiedHeadFromTheEmbedding) {
  Add("wte.weight", kMatrix, std::byte{7});
  EXPECT_EQ(FitAll({{"wte.weight", kMatrix}, {"lm_head.weight", kMatrix}}), "");
  EXPECT_EQ(made_[1], made_[0]);
  EXPECT_NE(FitAll({{"wte.weight", kMatrix}, {"lm_head.weight", kTwo}}), "");
}

TEST_F(FitTest, TakesATiedHeadThatIsThereAsWellOnlyWhenItIsTheSame) {
  Add("wte.weight", kMatrix, std::byte{7});
  Add("lm_head.weight", kMatrix, std::byte{7});
  EXPECT_EQ(FitAll({{"wte.weight", kMatrix}}), "");
  tensors_[1].data[5] = std::byte{8};
  EXPECT_EQ(FitAll({{"wte.weight", kMatrix}}), "w does not fit m: unexpected: lm_head.weight");
}

/// Reads "q" and "k" as the two parts of "qk", "old" as "new".
const Spelling kOther = {"other", [](const std::string& name) -> std::optional<Target> {
                           if (name == "q" || name == "k") {
                             return Target{"qk", name == "q" ? 0u : 1u, 2};
                           }
                           return name == "old" ? std::optional(Target{"new"}) : std::nullopt;
                         }};

TEST_F(FitTest, JoinsPartsAlongTheFirstAxis) {
  Add("k", {DType::kFloat32, {1, 2}}, std::byte{2});
  Add("q", {DType::kFloat32, {2, 2}}, std::byte{1});
  ASSERT_EQ(FitAll({{"qk", kMatrix}}, &kOther), "");
  ASSERT_EQ(made_[0].size(), 24u);
  EXPECT_EQ(made_[0][15], std::byte{1});
  EXPECT_EQ(made_[0][16], std::byte{2});
}

TEST_F(FitTest, WantsEveryPartInItsShape) {
  Add("q", {DType::kFloat32, {2, 2}});
  EXPECT_EQ(FitAll({{"qk", kMatrix}}, &kOther),
            "w does not fit m (read with the names of other): missing: qk");
  Add("k", {DType::kFloat32, {2, 1}});
  EXPECT_EQ(
      FitAll({{"qk", kMatrix}}, &kOther),
      "w does not fit m (read with the names of other): other type: q is float32 2x2 and k is "
      "float32 2x1 instead of float32 3x2");
}

TEST_F(FitTest, LetsASpellingPlaceAxesOfLengthOne) {
  Add("old", kTwo);
  EXPECT_EQ(FitAll({{"new", {DType::kFloat32, {2, 1, 1}}}}, &kOther), "");
  EXPECT_NE(FitAll({{"old", {DType::kFloat32, {2, 1, 1}}}}), "");
}

TEST_F(FitTest, RefusesTwoNamesForOneTensor) {
  Add("old", kTwo);
  Add("new", kTwo);
  EXPECT_EQ(FitAll({{"new", kTwo}}, &kOther),
            "w does not fit m (read with the names of other): unexpected: old");
}

}  // namespace
}  // namespace assay::tensor
