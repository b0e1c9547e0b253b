#include "report/compare.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "report/sample_run_test.h"

namespace assay::report {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

record::Run With(std::vector<record::Arm> arms) {
  record::Run run = SampleRun();
  run.arms = std::move(arms);
  return run;
}

Change ChangeOf(double a_ms, double b_ms) {
  const record::Run a = With({SampleArm("EAGER", a_ms)}), b = With({SampleArm("EAGER", b_ms)});
  return Compare(a, b).differences.at(0).change;
}

// The intervals of SampleArm reach half a percent to each side.
TEST(CompareTest, CallsADifferenceOneOnlyBeyondTheIntervalsAndOnePercent) {
  EXPECT_EQ(ChangeOf(10, 8), Change::kFaster);
  EXPECT_EQ(ChangeOf(10, 12), Change::kSlower);
  EXPECT_EQ(ChangeOf(10, 10.04), Change::kSame);
}

TEST(CompareTest, CallsDisjointIntervalsWithinOnePercentTheSame) {
  record::Run a = With({SampleArm("EAGER", 10)}), b = With({SampleArm("EAGER", 10.05)});
  a.arms[0].latency_ms->ci95 = record::Interval{9.999, 10.001};
  b.arms[0].latency_ms->ci95 = record::Interval{10.049, 10.051};
  EXPECT_EQ(Compare(a, b).differences[0].change, Change::kSame);
}

TEST(CompareTest, CallsOverlappingIntervalsTheSameHoweverFarTheMedians) {
  record::Run a = With({SampleArm("EAGER", 10)}), b = With({SampleArm("EAGER", 13)});
  a.arms[0].latency_ms->ci95 = record::Interval{8, 14};
  EXPECT_EQ(Compare(a, b).differences[0].change, Change::kSame);
}

TEST(CompareTest, ComparesArmsWithAsManyThreadsAndInputs) {
  const auto arm = [](int threads, std::int64_t batch_size, double ms) {
    record::Arm one = SampleArm("EAGER", ms);
    one.label = fmt::format("EAGER ({} threads, batch {})", threads, batch_size);
    one.threads.asked = threads;
    one.batch_size = batch_size;
    return one;
  };
  const auto changes = [](const record::Run& a, const record::Run& b) {
    std::vector<Change> all;
    for (const Difference& difference : Compare(a, b).differences) {
      all.push_back(difference.change);
    }
    return all;
  };
  const record::Run many = With({arm(1, 1, 10), arm(2, 1, 6), arm(2, 8, 50)});
  EXPECT_EQ(changes(many, With({arm(2, 8, 25), arm(2, 1, 9), arm(1, 1, 10)})),
            (std::vector{Change::kSame, Change::kSlower, Change::kFaster}));
  EXPECT_EQ(changes(many, With({arm(2, 1, 6)})),
            (std::vector{Change::kVanished, Change::kSame, Change::kVanished}));
  EXPECT_EQ(changes(With({arm(1, 1, 10)}), With({arm(2, 1, 5)})), std::vector{Change::kFaster})
      << "what is there once is compared, and the warning tells of the threads";
}

TEST(CompareTest, ComparesWhatIsForThroughputByThroughput) {
  record::Run a = With({SampleArm("MANY", 10)}), b = With({SampleArm("MANY", 30)});
  for (auto* run : {&a, &b}) {
    run->arms[0].metric = record::kThroughput;
  }
  a.arms[0].throughput_per_s = 100;
  a.arms[0].throughput_ci95 = record::Interval{99, 101};
  b.arms[0].throughput_per_s = 150;
  const Comparison open = Compare(a, b);
  EXPECT_EQ(open.differences[0].change, Change::kUnknown) << "no interval";
  b.arms[0].throughput_ci95 = record::Interval{148, 152};
  const Comparison comparison = Compare(a, b);
  EXPECT_EQ(comparison.differences[0].change, Change::kFaster);
  EXPECT_NEAR(*comparison.differences[0].ratio, 1.5, 1e-9);
  EXPECT_THAT(RenderComparison(comparison, Format::kText, {}), HasSubstr("100 per s ±1.0 %"));
}

TEST(CompareTest, TellsWhatAppearedVanishedAndEndedOtherwise) {
  record::Run a = With({SampleArm("EAGER", 10), SampleArm("ONNX_CPU", 5)});
  record::Run b = With({SampleArm("EAGER", 10), SampleArm("COMPILE_OPENVINO", 5)});
  b.arms[0].outcome = record::Outcome::kCrashed;
  b.arms[0].latency_ms.reset();
  const Comparison comparison = Compare(a, b);
  ASSERT_EQ(comparison.differences.size(), 3u);
  EXPECT_EQ(comparison.differences[0].change, Change::kOutcome);
  EXPECT_EQ(comparison.differences[1].change, Change::kVanished);
  EXPECT_EQ(comparison.differences[2].change, Change::kAppeared);
  EXPECT_THAT(RenderComparison(comparison, Format::kText, {}), HasSubstr("crashed"));
}

TEST(CompareTest, WarnsWhenMachinesModelsOrThreadsDiffer) {
  const record::Run a = SampleRun();
  EXPECT_THAT(Compare(a, a).warnings, IsEmpty());
  record::Run b = SampleRun();
  b.machine.cpu = "Another CPU";
  b.model.sha256 = "cd34";
  b.arms[0].threads.obtained = 1;
  const std::vector<std::string> warnings = Compare(a, b).warnings;
  EXPECT_THAT(warnings, Contains(HasSubstr("Another CPU")));
  EXPECT_THAT(warnings, Contains(HasSubstr("graph or weights")));
  EXPECT_THAT(warnings, Contains(HasSubstr("threads of EAGER differs: 2 in A, 1 in B")));
}

TEST(CompareTest, WritesNullWhereAnArmIsInOneRecordOnly) {
  const record::Run a = With({SampleArm("EAGER", 10)}), b = With({});
  const auto json = ParseJson(RenderComparison(Compare(a, b), Format::kJson, {}), "output");
  ASSERT_TRUE(json.ok());
  EXPECT_EQ((*json)["items"][0]["change"], "vanished");
  EXPECT_TRUE((*json)["items"][0]["b_median_ms"].is_null());
}

}  // namespace
}  // namespace assay::report
