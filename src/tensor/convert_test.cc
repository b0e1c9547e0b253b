#include "tensor/convert.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

namespace assay::tensor {
namespace {

/// What Convert makes of `elements`, taken for `from`.
template <typename T>
std::vector<float> Floats(const std::vector<T>& elements, DType from) {
  std::vector<std::byte> bytes;
  EXPECT_TRUE(Convert(std::as_bytes(std::span(elements)), from, DType::kFloat32, [&](auto piece) {
                bytes.insert(bytes.end(), piece.begin(), piece.end());
                return Status();
              }).ok());
  std::vector<float> floats(bytes.size() / sizeof(float));
  std::memcpy(floats.data(), bytes.data(), bytes.size());
  return floats;
}

TEST(ConvertTest, WidensHalvesExactly) {  // IEEE 754-2019, binary16
  const auto floats = Floats<std::uint16_t>(
      {0x3c00, 0xc000, 0x7bff, 0x0001, 0x8000, 0x7c00, 0x7e00}, DType::kFloat16);
  EXPECT_EQ(floats[0], 1);
  EXPECT_EQ(floats[1], -2);
  EXPECT_EQ(floats[2], 65504);
  EXPECT_EQ(floats[3], 0x1p-24F);
  EXPECT_TRUE(floats[4] == 0 && std::signbit(floats[4]));
  EXPECT_EQ(floats[5], std::numeric_limits<float>::infinity());
  EXPECT_TRUE(std::isnan(floats[6]));
}

TEST(ConvertTest, WidensBFloat16Exactly) {  // the upper half of a float32
  const auto floats = Floats<std::uint16_t>({0x3f80, 0xc000, 0x7f7f, 0x0001}, DType::kBFloat16);
  EXPECT_EQ(floats[0], 1);
  EXPECT_EQ(floats[1], -2);
  EXPECT_EQ(floats[2], 0x1.fep127F);
  EXPECT_EQ(floats[3], 0x1p-133F);
}

TEST(ConvertTest, RoundsDoublesToNearest) {
  EXPECT_EQ(Floats<double>({0.1, -3}, DType::kFloat64), (std::vector<float>{0.1F, -3}));
}

TEST(ConvertTest, RefusesDoublesBeyondFloat32) {
  const std::vector<double> elements = {1, 1e300};
  const Status status = Convert(std::as_bytes(std::span(elements)), DType::kFloat64,
                                DType::kFloat32, [](auto) { return Status(); });
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().message, "1e+300 is beyond float32");
  EXPECT_TRUE(
      std::isinf(Floats<double>({std::numeric_limits<double>::infinity()}, DType::kFloat64)[0]));
}

TEST(ConvertTest, FeedsLargeTensorsInPieces) {
  const std::vector<std::uint16_t> elements(100'000, 0x3c00);
  std::size_t largest = 0, total = 0;
  ASSERT_TRUE(Convert(std::as_bytes(std::span(elements)), DType::kFloat16, DType::kFloat32,
                      [&](auto piece) {
                        largest = std::max(largest, piece.size());
                        total += piece.size();
                        return Status();
                      })
                  .ok());
  EXPECT_EQ(total, 400'000u);
  EXPECT_LE(largest, 65'536u);
}

TEST(ConvertTest, KnowsFloatingPointToFloat32Only) {
  EXPECT_TRUE(Converts(DType::kBFloat16, DType::kFloat32));
  EXPECT_TRUE(Converts(DType::kInt64, DType::kInt64));
  EXPECT_FALSE(Converts(DType::kFloat32, DType::kFloat16));
  EXPECT_FALSE(Converts(DType::kInt32, DType::kFloat32));
}

}  // namespace
}  // namespace assay::tensor
