// Whole campaigns with real processes: every arm, preparer and reference is the fake engine.
#include "campaign/campaign.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>

#include "campaign/fake_campaign_test.h"

namespace assay::campaign {
namespace {

using ::testing::AnyOf;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;

class CampaignTest : public FakeCampaignTest {};

TEST_F(CampaignTest, MeasuresJudgesAndRecommends) {
  options_.processes = 2;
  Add("SLOW", {{"latency_ns", 40e6}});
  Add("EAGER", {{"latency_ns", 20e6}});
  Add("FAST", Json::object(), /*prepared=*/true);
  const Campaign campaign = Run();
  const record::Run& run = campaign.run;
  EXPECT_EQ(campaign.signal, 0);
  EXPECT_EQ(run.baseline, "EAGER");
  EXPECT_EQ(run.trust, "ok");
  ASSERT_EQ(run.arms.size(), 3u);
  EXPECT_EQ(run.arms[0].conversion, "SLOW");
  EXPECT_EQ(run.arms[1].conversion, "EAGER");
  EXPECT_EQ(run.arms[2].conversion, "FAST");
  for (const record::Arm& arm : run.arms) {
    EXPECT_EQ(arm.outcome, record::Outcome::kMeasured) << arm.reason;
    EXPECT_EQ(arm.output->verdict, "pass") << arm.reason << Json(arm.notes);
    EXPECT_TRUE(arm.stopped == "precision" || arm.stopped == "decided") << arm.stopped;
    EXPECT_GE(arm.timed, 60u);
    EXPECT_GT(*arm.peak_rss_bytes, 0u);
    EXPECT_EQ(arm.threads.obtained, 1);
    EXPECT_EQ(arm.precision.obtained, "fp32");
    EXPECT_EQ(arm.repeat,
              "assay run tiny --conversions " + arm.conversion +
                  " --samples 60 --baseline-runs 60 --precision-target 100 --processes 2");
  }
  EXPECT_FALSE(run.arms[1].speedup);
  EXPECT_EQ(run.arms[0].speedup->vs, "EAGER");
  EXPECT_EQ(run.arms[2].speedup->rounds, 12);
  EXPECT_TRUE(run.arms[2].prepare_s);
  EXPECT_FALSE(run.arms[2].prepare_cached);
  EXPECT_TRUE(run.recommendation);
  EXPECT_GT(run.clock_floor_ns, 0);
}

TEST_F(CampaignTest, HoldsAQuantisedArmToThePlainRunOfItsClass) {
  around_.roles.plain = "fake";
  Add("EAGER");
  Add("INT8", {{"output_error", 0.3}}, /*prepared=*/true);  // the fake is off by 0.4 times this
  conversion::Recipe& recipe = choices_.back().conversion.recipe;
  recipe.quantisation = "static_int8";
  recipe.weights = recipe.activations = "int8";
  Json& plain = options_.engine_options["arms"]["plain-int8_narrow-int8"];
  plain = {{"latency_ns", 10e6}, {"output_error", 0.001}};
  const Campaign floor = Run();
  EXPECT_NEAR(*floor.run.arms[1].output->tolerance, 0.1, 1e-9);
  EXPECT_EQ(floor.run.arms[1].outcome, record::Outcome::kWrongOutput);
  plain["output_error"] = 0.2;
  const Campaign scaled = Run();
  const record::Output& output = *scaled.run.arms[1].output;
  EXPECT_EQ(output.verdict, "pass") << scaled.run.arms[1].reason;
  EXPECT_GT(*output.tolerance, 0.2);
  EXPECT_EQ(*scaled.run.arms[0].output->tolerance, *floor.run.arms[0].output->tolerance);
}

TEST_F(CampaignTest, FindsWhatAnEarlierRunPrepared) {
  Add("EAGER", Json::object(), /*prepared=*/true);
  const Campaign first = Run();
  const Campaign second = Run();
  EXPECT_FALSE(first.run.arms[0].prepare_cached);
  EXPECT_TRUE(second.run.arms[0].prepare_cached);
  EXPECT_EQ(first.run.arms[0].prepare_s, second.run.arms[0].prepare_s);
  EXPECT_EQ(first.run.arms[0].artifact, second.run.arms[0].artifact);
}

TEST_F(CampaignTest, FindsNothingThatAnEngineOfOtherCodePrepared) {
  Add("EAGER", Json::object(), /*prepared=*/true);
  const Campaign first = Run();
  const std::string program = "assay-engine-fake";
  const std::filesystem::path other = around_.home / "other";
  std::filesystem::create_directories(other);
  std::filesystem::copy_file(around_.engines / program, other / program);
  std::ofstream(other / program, std::ios::app) << "changed";
  around_.engines = other;
  const Campaign second = Run();
  EXPECT_EQ(second.run.arms[0].outcome, record::Outcome::kMeasured);
  EXPECT_FALSE(second.run.arms[0].prepare_cached);
  EXPECT_NE(first.run.arms[0].artifact, second.run.arms[0].artifact);
}

TEST_F(CampaignTest, PreparesAgainWhatWasInterrupted) {
  Add("EAGER", Json::object(), /*prepared=*/true);
  const std::filesystem::path artifact = Run().run.arms[0].artifact;
  ASSERT_TRUE(std::filesystem::remove(artifact.parent_path() / "manifest.json"));
  ASSERT_TRUE(std::filesystem::remove(artifact / "fake.json"));
  const Campaign again = Run();
  EXPECT_FALSE(again.run.arms[0].prepare_cached);
  EXPECT_EQ(again.run.arms[0].outcome, record::Outcome::kMeasured);
}

TEST_F(CampaignTest, PreparesSideBySideWhereCoresAllow) {
  around_.physical_cores = 2;
  options_.prepared_at_once = 4;
  options_.stage_timeout_s = 20;
  Add("EAGER");
  for (const char* name : {"A", "B", "C"}) {
    Add(name, {{"misbehave", {{{"stage", "prepare"}, {"how", "delay"}, {"milliseconds", 300}}}}},
        /*prepared=*/true);
  }
  AddBad("FAILS", {{"stage", "prepare"}, {"how", "fail"}});
  choices_[2].conversion.recipe.mode = "max-autotune";  // times kernels: alone
  const record::Run run = Run().run;
  const auto beside = [&](std::size_t arm) {
    const auto& notes = run.arms[arm].notes;
    return std::any_of(notes.begin(), notes.end(), [](const std::string& note) {
      return note.find("prepared while others were") != std::string::npos;
    });
  };
  for (const std::size_t arm : {1u, 2u, 3u}) {
    EXPECT_EQ(run.arms[arm].outcome, record::Outcome::kMeasured) << run.arms[arm].reason;
    EXPECT_GE(*run.arms[arm].prepare_s, 0.3);
  }
  EXPECT_TRUE(beside(1));
  EXPECT_TRUE(beside(3));
  EXPECT_FALSE(beside(2));
  EXPECT_EQ(run.arms[4].outcome, record::Outcome::kFailed);
  EXPECT_EQ(run.arms[4].stage, "prepare");
}

TEST_F(CampaignTest, TellsAPlanAndCutsWhatIsHopeless) {
  static_cast<Effort&>(options_) = EffortOf(3);
  options_.precision_target.reset();
  options_.processes = 2;
  Add("EAGER", {{"latency_ns", 12e6}});
  Add("FAST", {{"latency_ns", 10e6}}, /*prepared=*/true);
  Add("WRONG", {{"latency_ns", 1e6}, {"output", "wrong"}});
  Add("HOPELESS", {{"latency_ns", 100e6}});
  Add("GONE");
  choices_.back().conversion.standing = conversion::Standing::kExplained;
  choices_.back().conversion.why = "it is gone";
  choices_.back().route.engine = "nosuch";
  const record::Run run = Run().run;
  ASSERT_FALSE(progress_.said.empty());
  EXPECT_THAT(progress_.said.front(), HasSubstr("plan: 4 of 5 arms can run here, 3 of them are"));
  EXPECT_THAT(progress_.said.front(), HasSubstr("for 4 arms that no earlier run has seen"));
  EXPECT_EQ(run.arms[3].stopped, "cut");
  EXPECT_EQ(run.arms[3].outcome, record::Outcome::kMeasured);
  EXPECT_EQ(run.arms[3].speedup->rounds, 6);
  EXPECT_FALSE(run.arms[3].speedup->ci95);
  EXPECT_THAT(run.arms[1].stopped, AnyOf("precision", "decided", "rounds"));  // not cut
  EXPECT_THAT(run.recommendation->not_separated_from, Not(Contains("HOPELESS")));
  EXPECT_EQ(run.arms[4].outcome, record::Outcome::kUnsupported);
}

TEST_F(CampaignTest, HasTimeForWhatItTold) {
  static_cast<Effort&>(options_) = EffortOf(3);
  options_.precision_target.reset();
  options_.processes = 1;
  options_.heat = 1;
  options_.seconds_per_arm = 0.01;
  model_.macs = 6'000'000'000;  // 0.1 s at the rate that is assumed
  Add("EAGER");
  Add("FAST");
  Add("FASTER");
  const record::Run run = Run().run;
  EXPECT_EQ(run.arms[2].outcome, record::Outcome::kMeasured) << run.arms[2].reason;
}

TEST_F(CampaignTest, EndsEveryArmAsTheOutcomeOfItsNameAndLeavesTheOthersUntouched) {
  options_.samples = 150;  // 30 rounds of 5 inferences and 1 discarded; at most 105 before them
  Add("EAGER", {{"latency_ns", 20e6}});
  AddBad("KILLED", {{"how", "kill"}, {"after", 140}});
  AddBad("PRINTS", {{"how", "print"}, {"bytes", 100000}, {"after", 200}});
  AddBad("BABBLES", {{"how", "lie_garbage"}, {"after", 10}});
  AddBad("CANNOT", {{"stage", "load"}, {"how", "unsupported"}, {"reason", "no Foo"}});
  Add("WRONG", {{"output", "wrong"}});
  Add("NAN", {{"output", "nan"}});
  Add("LIES", {{"precision", "bf16"}});
  const record::Run run = Run().run;
  using record::Outcome;
  const std::vector<std::pair<std::string, Outcome>> expected = {
      {"EAGER", Outcome::kMeasured},     {"KILLED", Outcome::kCrashed},
      {"PRINTS", Outcome::kMeasured},    {"BABBLES", Outcome::kFailed},
      {"CANNOT", Outcome::kUnsupported}, {"WRONG", Outcome::kWrongOutput},
      {"NAN", Outcome::kWrongOutput},    {"LIES", Outcome::kMistrusted}};
  ASSERT_EQ(run.arms.size(), expected.size());
  for (std::size_t i = 0; i < expected.size(); ++i) {
    const auto& [name, outcome] = expected[i];
    EXPECT_EQ(run.arms[i].conversion, name);
    EXPECT_EQ(run.arms[i].outcome, outcome) << name << ": " << run.arms[i].reason;
    EXPECT_EQ(run.arms[i].reason.empty(), outcome == Outcome::kMeasured) << name;
  }
  EXPECT_THAT(run.arms[1].reason, HasSubstr("signal 9 (SIGKILL)"));
  EXPECT_EQ(run.arms[1].stage, "timing");
  EXPECT_GT(run.arms[1].timed, 0u);
  EXPECT_TRUE(run.arms[1].speedup);
  EXPECT_EQ(run.arms[4].reason, "no Foo");
  EXPECT_FALSE(run.arms[4].latency_ms);
  EXPECT_EQ(run.arms[5].output->verdict, "fail");
  EXPECT_TRUE(run.arms[5].speedup);
  EXPECT_EQ(run.arms[7].reason, "asked for precision fp32, obtained bf16");
  EXPECT_THAT(run.recommendation->conversion, AnyOf("EAGER", "PRINTS"));  // the right ones
}

TEST_F(CampaignTest, EndsArmsThatHangWhereTheyHang) {
  options_.stage_timeout_s = 2;
  Add("EAGER");
  AddBad("FIRST", {{"how", "hang"}});
  AddBad("PREPARES", {{"stage", "prepare"}, {"how", "hang_hard"}});
  const record::Run run = Run().run;
  EXPECT_EQ(run.arms[0].outcome, record::Outcome::kMeasured);
  EXPECT_EQ(run.arms[1].outcome, record::Outcome::kTimedOut);
  EXPECT_EQ(run.arms[1].stage, "load");
  EXPECT_EQ(run.arms[2].outcome, record::Outcome::kTimedOut);
  EXPECT_EQ(run.arms[2].stage, "prepare");
}

TEST_F(CampaignTest, MeasuresEachConversionWithEachNumberOfThreadsOnEachBatch) {
  around_.physical_cores = 2;
  options_.threads = {1, 2};
  options_.batch_sizes = {1, 4};
  options_.control = true;
  Add("EAGER");
  Add("FAST", {{"latency_ns", 5e6}}, /*prepared=*/true);
  std::vector<model::Model> models = {model_, model_};
  models[1].graph.values[0].type.shape = {4, 8};
  models[1].sha256 = "4567";
  const auto campaign = RunCampaign(models, choices_, options_, around_, progress_);
  ASSERT_TRUE(campaign.ok()) << campaign.error().message;
  const record::Run& run = campaign->run;
  std::vector<std::string> labels;
  for (const record::Arm& arm : run.arms) {
    labels.push_back(arm.label);
    EXPECT_EQ(arm.outcome, record::Outcome::kMeasured) << arm.reason;
    EXPECT_EQ(arm.threads.obtained, arm.threads.asked) << arm.label;
  }
  EXPECT_EQ(labels,
            (std::vector<std::string>{"EAGER (1 thread, batch 1)", "EAGER (2 threads, batch 1)",
                                      "EAGER (1 thread, batch 4)", "EAGER (2 threads, batch 4)",
                                      "FAST (1 thread, batch 1)", "FAST (2 threads, batch 1)",
                                      "FAST (1 thread, batch 4)", "FAST (2 threads, batch 4)",
                                      "EAGER (2 threads, batch 1, control)"}));
  EXPECT_EQ(run.baseline, "EAGER (2 threads, batch 1)");
  EXPECT_EQ(run.arms[6].conversion, "FAST");
  EXPECT_EQ(run.arms[6].batch_size, 4);
  EXPECT_THAT(run.arms[6].repeat,
              HasSubstr("assay run tiny --batch-size 4 --conversions FAST --threads 1 "));
  // The fake takes as long for four inputs as for one: per input it is four times as fast.
  EXPECT_EQ(run.arms[3].speedup->metric, record::kThroughput);
  EXPECT_NEAR(run.arms[3].speedup->ratio, 4, 1);
  EXPECT_EQ(run.arms[5].speedup->metric, record::kLatency);
  EXPECT_NEAR(run.arms[5].speedup->ratio, 2, 0.5);
  EXPECT_NEAR(*run.arms[7].throughput_per_s, 4e3 / run.arms[7].latency_ms->median, 1e-6);
  EXPECT_EQ(run.recommendation->conversion, "FAST");
  EXPECT_EQ(run.recommendation->batch_size, 4);
  ASSERT_EQ(run.recommendation->batches.size(), 2u);
  EXPECT_EQ(run.recommendation->batches[0].batch_size, 1);
  EXPECT_EQ(run.recommendation->batches[0].conversion, "FAST");
}

TEST_F(CampaignTest, AddsAControlArmThatIsNotRanked) {
  options_.control = true;
  Add("EAGER");
  const record::Run run = Run().run;
  ASSERT_EQ(run.arms.size(), 2u);
  EXPECT_EQ(run.arms[1].conversion, "EAGER (control)");
  EXPECT_TRUE(run.arms[1].speedup);
  EXPECT_EQ(run.recommendation->conversion, "EAGER");
  EXPECT_TRUE(run.recommendation->not_separated_from.empty());
}

TEST_F(CampaignTest, MistrustsTheRunWhenTheMachineOrTheControlSaysSo) {
  around_.mistrust_reasons = {"the build is a debug build"};
  Add("EAGER");
  const record::Run run = Run().run;
  EXPECT_EQ(run.trust, "mistrusted");
  EXPECT_EQ(run.trust_reasons, (std::vector<std::string>{"the build is a debug build"}));
}

TEST_F(CampaignTest, IsUnavailableWhenNoEngineIsHere) {
  Add("EAGER");
  around_.engines = around_.home;
  const auto campaign = RunCampaign(std::span(&model_, 1), choices_, options_, around_, progress_);
  ASSERT_FALSE(campaign.ok());
  EXPECT_EQ(campaign.error().code, Code::kUnavailable);
}

TEST_F(CampaignTest, StartsNoEngineForAConversionThatCannotRunOnThisMachine) {
  Add("EAGER");
  Add("ON_A_GPU", {{"misbehave", {{{"how", "kill"}}}}}, true);
  choices_.back().conversion.standing = conversion::Standing::kNeedsCuda;
  choices_.back().route = {.engine = "nosuch", .preparer = "nosuch"};
  Add("LAST");
  const record::Run run = Run().run;
  ASSERT_EQ(run.arms.size(), 3u);
  EXPECT_EQ(run.arms[0].outcome, record::Outcome::kMeasured);
  EXPECT_EQ(run.arms[1].outcome, record::Outcome::kUnsupported);
  EXPECT_THAT(run.arms[1].reason, HasSubstr("NVIDIA GPU"));
  EXPECT_EQ(run.arms[1].conversion, "ON_A_GPU");
  EXPECT_EQ(run.arms[1].engine, "nosuch");
  EXPECT_EQ(run.arms[2].outcome, record::Outcome::kMeasured);
}

TEST_F(CampaignTest, RecordsEveryArmWhereNoneCanRun) {
  for (const char* name : {"GONE", "ELSEWHERE"}) {
    Add(name);
    choices_.back().route.engine = "nosuch";
  }
  choices_[0].conversion.standing = conversion::Standing::kExplained;
  choices_[0].conversion.why = "it is gone";
  choices_[1].conversion.standing = conversion::Standing::kNeedsCuda;
  const Campaign campaign = Run();
  ASSERT_EQ(campaign.run.arms.size(), 2u);
  EXPECT_EQ(campaign.run.arms[0].reason, "it is gone");
  EXPECT_THAT(campaign.run.arms[1].reason, HasSubstr("NVIDIA GPU"));
  EXPECT_EQ(campaign.run.arms[1].outcome, record::Outcome::kUnsupported);
  EXPECT_FALSE(campaign.run.recommendation);
  EXPECT_FALSE(std::filesystem::exists(around_.home / "references"));
  EXPECT_FALSE(std::filesystem::exists(around_.home / "inputs"));
}

TEST_F(CampaignTest, MeasuresWithoutReferencesAndSaysSo) {
  around_.roles = {.golden = "nosuch", .witness = "nosuch", .rounding = "", .lowered = {}};
  Add("EAGER");
  const record::Run run = Run().run;
  EXPECT_EQ(run.arms[0].outcome, record::Outcome::kMeasured);
  EXPECT_EQ(run.arms[0].output->verdict, "unchecked");
  EXPECT_FALSE(run.recommendation);
}

TEST_F(CampaignTest, SaysThatAHomeCannotBeWritten) {
  Add("EAGER");
  around_.home = "/proc/none";
  const auto campaign = RunCampaign(std::span(&model_, 1), choices_, options_, around_, progress_);
  ASSERT_FALSE(campaign.ok());
  EXPECT_EQ(campaign.error().code, Code::kIo);
}

TEST_F(CampaignTest, KeepsWhatWasMeasuredWhenInterrupted) {
  Add("EAGER");
  Add("GOOD");
  progress_.on_round = [](const Stage& stage) {
    if (stage.round == 3) {
      ::kill(::getpid(), SIGINT);
    }
  };
  const Campaign campaign = Run();
  EXPECT_EQ(campaign.signal, SIGINT);
  EXPECT_EQ(campaign.run.arms[0].stopped, "interrupted");
  EXPECT_EQ(campaign.run.arms[0].outcome, record::Outcome::kMeasured);
  EXPECT_GT(campaign.run.arms[0].timed, 0u);
}

TEST_F(CampaignTest, RunsNothingWhenInterruptedWhilePreparing) {
  Add("EAGER", {{"misbehave", {{{"stage", "prepare"}, {"how", "hang"}}}}}, true);
  const pid_t parent = ::getpid();
  const pid_t child = ::fork();
  if (child == 0) {  // interrupts when the preparation is under way
    for (int i = 0; i < 600; ++i) {
      if (std::filesystem::exists(around_.home / "artifacts")) {
        ::usleep(200'000);
        ::kill(parent, SIGTERM);
        ::_exit(0);
      }
      ::usleep(50'000);
    }
    ::_exit(1);
  }
  const Campaign campaign = Run();
  ::waitpid(child, nullptr, 0);
  EXPECT_EQ(campaign.signal, SIGTERM);
  EXPECT_EQ(campaign.run.arms[0].outcome, record::Outcome::kNotRun);
  EXPECT_EQ(campaign.run.arms[0].stopped, "interrupted");
}

}  // namespace
}  // namespace assay::campaign
