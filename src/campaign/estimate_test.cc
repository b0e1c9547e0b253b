#include "campaign/estimate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace assay::campaign {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

const Past kSeen{.prepare_s = 100, .load_s = 2, .latency_ms = 10, .peak_rss_bytes = 1};

TEST(OutlookTest, TakesWhatEarlierRunsRecorded) {
  const Outlook outlook = OutlookOf({}, /*in_python=*/false, kSeen, /*prepares=*/true, {99, 70});
  EXPECT_EQ(outlook.prepare_s, 100);
  EXPECT_EQ(outlook.latency_s, 0.010);
  EXPECT_GE(outlook.start_s, 2);
  EXPECT_FALSE(outlook.assumed);
  EXPECT_EQ(OutlookOf({}, false, kSeen, /*prepares=*/false, {99, 70}).prepare_s, 0);
}

TEST(OutlookTest, AssumesMoreOfACompilerThanOfAnExport) {
  const conversion::Recipe compiled{.compiler = "inductor"},
      exported{.capture = "export", .compiler = "eager"};
  const Outlook outlook = OutlookOf(compiled, true, {}, true, {0.02, 70});
  EXPECT_TRUE(outlook.assumed);
  EXPECT_EQ(outlook.latency_s, 0.02);
  EXPECT_LT(outlook.prepare_s, OutlookOf(compiled, true, {}, true, {0.02, 700}).prepare_s);
  EXPECT_GT(outlook.prepare_s, OutlookOf(exported, true, {}, true, {0.02, 70}).prepare_s);
}

TEST(OutlookTest, AssumesThatInt8RunsFastWhereKernelsDoAndSlowlyWhereItIsSimulated) {
  const auto latency = [](const std::string& quantisation) {
    conversion::Recipe recipe;
    recipe.quantisation = quantisation;
    return OutlookOf(recipe, false, {}, true, {0.1, 70}).latency_s;
  };
  EXPECT_LT(latency("static_int8"), latency("") / EffortOf(3).cut);
  EXPECT_GT(latency("quanto"), latency(""));
}

Estimate Of(const std::vector<double>& latencies_s, const Effort& effort, int cores = 2) {
  std::vector<Outlook> arms;
  for (const double latency : latencies_s) {
    arms.push_back({.prepare_s = 60, .start_s = 1, .latency_s = latency});
  }
  return EstimateOf(arms, effort, cores);
}

TEST(EstimateTest, CountsOneGenerationForWhatWillBeCut) {
  Effort effort = EffortOf(3);
  const double cut = Of({0.01, 0.05}, effort).measure_s;
  effort.cut = 0;
  EXPECT_LT(cut, Of({0.01, 0.05}, effort).measure_s / 1.5);
}

TEST(EstimateTest, SharesPreparationsAmongCores) {
  EXPECT_EQ(Of({0.01, 0.01}, EffortOf(3), 1).prepare_s, 120);
  EXPECT_EQ(Of({0.01, 0.01}, EffortOf(3), 2).prepare_s, 60);
  EXPECT_EQ(Of({0.01, 0.01}, EffortOf(2), 2).prepare_s, 120);  // one after the other
}

TEST(EstimateTest, FormsGroupsThatShareTheBaseline) {
  const std::size_t heat = EffortOf(3).heat;
  EXPECT_EQ(Of(std::vector<double>(heat, 0.01), EffortOf(3)).groups, 1);
  EXPECT_EQ(Of(std::vector<double>(heat + 1, 0.01), EffortOf(3)).groups, 1);
  EXPECT_EQ(Of(std::vector<double>(heat + 2, 0.01), EffortOf(3)).groups, 2);
  EXPECT_EQ(Of(std::vector<double>(2 * heat + 1, 0.01), EffortOf(3)).groups, 2);
}

TEST(EstimateTest, SaysWhatIsAssumed) {
  Estimate estimate = Of({0.01, 0.02}, EffortOf(3));
  estimate.unable = 3;
  EXPECT_THAT(Describe(estimate), HasSubstr("2 of 5 arms can run here"));
  EXPECT_THAT(Describe(estimate), HasSubstr("(1 of them preparing)"));
  EXPECT_THAT(Describe(estimate), Not(HasSubstr("assumed")));
  estimate.assumed = 1;
  EXPECT_THAT(Describe(estimate),
              HasSubstr("for 1 arms that no earlier run has seen it is assumed"));
}

TEST(HistoryTest, KeepsTheLatestThatIsKnownOfEachArm) {
  record::Run late, early;
  record::Arm arm;
  arm.conversion = "EAGER";
  arm.load_s = 2;
  late.arms = {arm};  // was not timed
  arm.load_s = 3;
  arm.latency_ms.emplace().median = 7;
  arm.threads.asked = 2;
  early.arms = {arm};
  arm.conversion = "OTHER";
  arm.threads.asked = 1;
  early.arms.push_back(arm);
  History history;
  Learn(late, 2, history);
  Learn(early, 2, history);
  EXPECT_EQ(history["EAGER"].load_s, 2);
  EXPECT_EQ(history["EAGER"].latency_ms, 7);
  EXPECT_FALSE(history["OTHER"].latency_ms);  // with another number of threads
}

}  // namespace
}  // namespace assay::campaign
