#include "engine/inputs.h"

#include <gmock/gmock.h>

#include <cmath>
#include <cstring>
#include <filesystem>

namespace assay::engine {
namespace {

using tensor::DType;
using ::testing::HasSubstr;

template <typename T>
tensor::Tensor Make(std::string name, DType dtype, const std::vector<T>& values) {
  tensor::Tensor made;
  made.name = std::move(name);
  made.type = {dtype, {1, static_cast<std::int64_t>(values.size())}};
  made.data.resize(values.size() * sizeof(T));
  std::memcpy(made.data.data(), values.data(), made.data.size());
  return made;
}

template <typename T>
std::vector<T> Values(const tensor::Tensor& tensor) {
  std::vector<T> values(tensor.data.size() / sizeof(T));
  std::memcpy(values.data(), tensor.data.data(), tensor.data.size());
  return values;
}

class FindInputTest : public ::testing::Test {
 protected:
  FindInputTest() {
    const auto path = std::filesystem::path(::testing::TempDir()) / "find_input.safetensors";
    const Status written =
        tensor::WriteSafetensors(path, {Make<float>("a.b.0", DType::kFloat32, {1, 2, 3}),
                                        Make<float>("a.b.1", DType::kFloat32, {4, 5, 6})});
    EXPECT_TRUE(written.ok());
    auto file = tensor::SafetensorsFile::Open(path);
    EXPECT_TRUE(file.ok());
    file_.emplace(*std::move(file));
  }
  std::optional<tensor::SafetensorsFile> file_;
};

TEST_F(FindInputTest, FindsTheSetOfANameWithDots) {
  const auto found = FindInput(*file_, "a.b", 1, {DType::kFloat32, {1, 3}});
  ASSERT_TRUE(found.ok()) << found.error().message;
  EXPECT_EQ((*found)->name, "a.b.1");
}

TEST_F(FindInputTest, TakesAnySizeWhereTheModelDoes) {
  EXPECT_TRUE(FindInput(*file_, "a.b", 0, {DType::kFloat32, {-1, -1}}).ok());
}

TEST_F(FindInputTest, NamesWhatIsThereInsteadOfAMissingInput) {
  const auto found = FindInput(*file_, "x", 0, {DType::kFloat32, {1, 3}});
  EXPECT_EQ(found.error().code, Code::kNotFound);
  EXPECT_THAT(found.error().message, HasSubstr("'x.0'; it has a.b.0, a.b.1"));
}

TEST_F(FindInputTest, RefusesAnotherShapeOrType) {
  for (const tensor::Type& wanted :
       {tensor::Type{DType::kFloat32, {1, 4}}, tensor::Type{DType::kFloat32, {3}},
        tensor::Type{DType::kInt64, {1, 3}}}) {
    EXPECT_EQ(FindInput(*file_, "a.b", 0, wanted).error().code, Code::kInvalidArgument);
  }
}

TEST(AsOutputTest, WidensAndNarrowsFloatsOnly) {
  const auto half = AsOutput(Make<std::uint16_t>("h", DType::kFloat16, {0x3c00, 0xc000, 0x7c00}));
  EXPECT_EQ(half.type.dtype, DType::kFloat32);
  EXPECT_EQ(Values<float>(half), (std::vector<float>{1, -2, INFINITY}));
  const auto bfloat = AsOutput(Make<std::uint16_t>("b", DType::kBFloat16, {0x3f80, 0xc040}));
  EXPECT_EQ(Values<float>(bfloat), (std::vector<float>{1, -3}));
  const auto narrowed = AsOutput(Make<double>("d", DType::kFloat64, {0.1}));
  EXPECT_EQ(Values<float>(narrowed), std::vector<float>{0.1f});
  const auto whole = AsOutput(Make<std::int64_t>("i", DType::kInt64, {1ll << 60}));
  EXPECT_EQ(whole.type.dtype, DType::kInt64);
  EXPECT_EQ(Values<std::int64_t>(whole), std::vector<std::int64_t>{1ll << 60});
}

TEST(AsOutputTest, KeepsOrMakesFloat64WhenAsked) {
  const auto kept = AsOutput(Make<double>("d", DType::kFloat64, {0.1}), true);
  EXPECT_EQ(Values<double>(kept), std::vector<double>{0.1});
  const auto widened = AsOutput(Make<float>("f", DType::kFloat32, {0.5f}), true);
  EXPECT_EQ(widened.type.dtype, DType::kFloat64);
  EXPECT_EQ(Values<double>(widened), std::vector<double>{0.5});
}

TEST(AlignedBufferTest, HoldsACopyAtACacheLine) {
  const std::vector<std::byte> bytes(100, std::byte{7});
  const AlignedBuffer buffer{std::span(bytes)};
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(buffer.data()) % 64, 0u);
  EXPECT_EQ(std::memcmp(buffer.data(), bytes.data(), bytes.size()), 0);
}

}  // namespace
}  // namespace assay::engine
