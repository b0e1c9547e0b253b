#include "report/format.h"

#include <gtest/gtest.h>

namespace assay::report {
namespace {

TEST(FormatTest, GivesMillisecondsFourDigits) {
  EXPECT_EQ(Milliseconds(1234.5), "1234");
  EXPECT_EQ(Milliseconds(16.824), "16.82");
  EXPECT_EQ(Milliseconds(8.6), "8.600");
  EXPECT_EQ(Milliseconds(0.03125), "0.03125");
  EXPECT_EQ(Milliseconds(0.000087), "0.0000870");
  EXPECT_EQ(Milliseconds(0), "0");
}

TEST(FormatTest, GivesSecondsTwoDigitsAndLongOnesInMinutes) {
  EXPECT_EQ(Seconds(0.3149), "0.31 s");
  EXPECT_EQ(Seconds(29.1), "29 s");
  EXPECT_EQ(Seconds(1200), "20 min");
  EXPECT_EQ(Seconds({}), "-");
}

TEST(FormatTest, GivesCountsThreeDigits) {
  EXPECT_EQ(Count(999), "999");
  EXPECT_EQ(Count(11'689'512), "11.7 M");
  EXPECT_EQ(Count(1'814'073'344), "1.81 G");
}

TEST(FormatTest, GivesIntervalsTheDigitsOfTheirRatio) {
  EXPECT_EQ(Ratio(1.8275, record::Interval{1.8, 1.86}), "1.83x [1.80, 1.86]");
  EXPECT_EQ(Ratio(0.0564, record::Interval{0.05, 0.06}), "0.056x [0.050, 0.060]");
  EXPECT_EQ(Ratio(123.4, {}), "123.4x");
  EXPECT_EQ(PlusMinus(record::Interval{9.9, 10.1}, 10), "±1.0 %");
  EXPECT_EQ(PlusMinus({}, 10), "");
}

}  // namespace
}  // namespace assay::report
