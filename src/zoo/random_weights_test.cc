#include "zoo/random_weights.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <vector>

namespace assay::zoo {
namespace {

std::vector<float> Values(const std::string& name, std::uint64_t seed, const Initial& initial,
                          std::uint64_t count) {
  std::vector<float> values;
  const Status drawn = Draw(name, seed, initial, count, [&](std::span<const std::byte> bytes) {
    const std::size_t had = values.size();
    values.resize(had + bytes.size() / sizeof(float));
    if (!bytes.empty()) {
      std::memcpy(values.data() + had, bytes.data(), bytes.size());
    }
    return Status();
  });
  EXPECT_TRUE(drawn.ok());
  return values;
}

TEST(RandomWeightsTest, DrawsTheSameBitsEverywhere) {
  // Computed apart from this code, in Python with integers and numpy.float32.
  const std::vector<float> expected = {-0x1.9b38500000000p-2F, -0x1.99e4800000000p-4F,
                                       -0x1.cbf6780000000p-2F, -0x1.c258a00000000p-3F};
  EXPECT_EQ(Values("fc.weight", 7, Uniform{0, 1}, 4), expected);
}

TEST(RandomWeightsTest, DependsOnNameAndSeed) {
  const std::vector<float> one = Values("a", 0, Uniform{0, 1}, 8);
  EXPECT_EQ(one, Values("a", 0, Uniform{0, 1}, 8));
  EXPECT_NE(one, Values("b", 0, Uniform{0, 1}, 8));
  EXPECT_NE(one, Values("a", 1, Uniform{0, 1}, 8));
}

TEST(RandomWeightsTest, FillsTheIntervalEvenly) {
  double sum = 0;
  double squares = 0;
  const std::vector<float> values = Values("a", 0, Uniform{1, 0.5F}, 100'000);
  for (const float value : values) {
    EXPECT_GE(value, 0.5F);
    EXPECT_LT(value, 1.5F);
    sum += value;
    squares += (value - 1.0) * (value - 1.0);
  }
  EXPECT_NEAR(sum / 1e5, 1, 0.005);                  // standard error 0.0009
  EXPECT_NEAR(squares / 1e5, 0.25 / 3, 0.25 / 300);  // standard error 0.0002
}

TEST(RandomWeightsTest, SumsTheFiltersOfTheOtherTensor) {
  const Uniform drawn{0, 1};
  const std::vector<float> weights = Values("w", 3, drawn, 6);
  const FilterSums sums{"w", 3, drawn, false, 2, 0.5};
  const FilterSums squares{"w", 3, drawn, true, 1, 0};
  const auto square = [&](std::size_t i) { return weights[i] * weights[i]; };
  const std::vector<float> got = Values("mean", 3, sums, 2);
  EXPECT_FLOAT_EQ(got[0], 0.5F + 2 * (weights[0] + weights[1] + weights[2]));
  EXPECT_FLOAT_EQ(got[1], 0.5F + 2 * (weights[3] + weights[4] + weights[5]));
  EXPECT_FLOAT_EQ(Values("var", 3, squares, 2)[1], square(3) + square(4) + square(5));
}

TEST(RandomWeightsTest, HasTheVarianceOfHeInitialisation) {
  EXPECT_FLOAT_EQ(HalfWidth(2, 6), 1.0F);  // variance 1/3 = 2 / 6
}

}  // namespace
}  // namespace assay::zoo
