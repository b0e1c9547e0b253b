// Campaigns that are killed or interrupted in the middle and go on: nothing is measured twice, and
// the record is that of one campaign.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>

#include "campaign/fake_campaign_test.h"
#include "campaign/journal.h"

namespace assay::campaign {
namespace {

using ::testing::AnyOf;
using ::testing::HasSubstr;

/// Two heats, then what is left of them together, twice: 12 rounds.
class ResumeTest : public FakeCampaignTest {
 protected:
  ResumeTest() {
    options_.processes = 3;
    options_.heat = 2;
    options_.cut = 10;  // that a busy machine makes nothing hopeless
    Add("EAGER", {{"latency_ns", 4e6}, {"own_clock", false}});
    Add("HOPELESS", {{"latency_ns", 60e6}, {"own_clock", false}}, /*prepared=*/true);
    Add("FAST", {{"latency_ns", 2e6}, {"own_clock", false}});
    Add("FASTER", {{"latency_ns", 1e6}, {"own_clock", false}}, /*prepared=*/true);
    AddBad("FAILS", {{"stage", "load"}, {"how", "fail"}});
  }

  /// Runs it in a process of its own, which kills itself before round number `n` of all it takes.
  void KillBeforeRound(int n) {
    const pid_t child = ::fork();
    if (child == 0) {
      progress_.on_round = [n, seen = 0](const Stage&) mutable {
        if (++seen == n) {
          ::kill(::getpid(), SIGKILL);
        }
      };
      (void)RunCampaign(std::span(&model_, 1), choices_, options_, around_, progress_);
      ::_exit(1);
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    ASSERT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
  }

  /// Samples in the journal, by arm.
  std::vector<std::vector<double>> Kept() const {
    std::vector<std::vector<double>> samples(choices_.size());
    for (const auto& folder : std::filesystem::directory_iterator(around_.home / "journals")) {
      std::ifstream file(folder.path() / "journal.jsonl");
      std::string line;
      std::getline(file, line);
      while (std::getline(file, line)) {
        const Json json = Json::parse(line);
        for (const Json& arm : json.at("arms")) {
          auto& all = samples[arm.at("arm").get<std::size_t>()];
          const auto more = arm.at("samples").get<std::vector<double>>();
          all.insert(all.end(), more.begin(), more.end());
        }
      }
    }
    return samples;
  }

  /// Goes on, and holds the record to what an undisturbed campaign gives and to what was kept.
  void GoOnAndCheck() {
    const std::vector<std::vector<double>> kept = Kept();
    options_.resume = true;
    progress_.on_round = {};
    progress_.said.clear();
    const Campaign campaign = Run();
    const record::Run& run = campaign.run;
    ASSERT_EQ(run.arms.size(), choices_.size());
    for (std::size_t arm = 0; arm < run.arms.size(); ++arm) {
      EXPECT_EQ(run.arms[arm].conversion, choices_[arm].label);
      const std::vector<double>& samples = run.arms[arm].samples_ms;
      ASSERT_GE(samples.size(), kept[arm].size());
      for (std::size_t i = 0; i < kept[arm].size(); ++i) {
        ASSERT_NEAR(samples[i], kept[arm][i] * 1e-6, 1e-12) << run.arms[arm].conversion;
      }
    }
    EXPECT_EQ(run.arms[1].stopped, "cut");
    EXPECT_EQ(run.arms[1].speedup->rounds, 4);
    EXPECT_EQ(run.arms[2].speedup->rounds, 12);
    EXPECT_EQ(run.arms[3].speedup->rounds, 12);
    EXPECT_TRUE(run.arms[3].prepare_s);
    EXPECT_EQ(run.arms[3].output->verdict, "pass");
    EXPECT_EQ(run.arms[4].outcome, record::Outcome::kFailed);
    EXPECT_THAT(run.recommendation->conversion, AnyOf("FASTER", "FAST"));
    EXPECT_TRUE(std::filesystem::is_empty(around_.home / "journals"));
  }

  bool Said(const std::string& what) const {
    return std::any_of(progress_.said.begin(), progress_.said.end(), [&](const std::string& line) {
      return line.find(what) != std::string::npos;
    });
  }
};

TEST_F(ResumeTest, GoesOnAfterAKillInTheMiddleOfAHeat) {
  KillBeforeRound(3);
  EXPECT_FALSE(Kept()[0].empty());
  GoOnAndCheck();
  EXPECT_TRUE(Said("goes on with the run that began at"));
  EXPECT_TRUE(Said("2 rounds are done"));
}

TEST_F(ResumeTest, GoesOnAfterAKillInALaterGenerationAndTriesNoArmAgainThatHasEnded) {
  KillBeforeRound(4 + 4 + 2);
  GoOnAndCheck();
  EXPECT_FALSE(Said("FAILS"));
  EXPECT_FALSE(Said("cut"));
  EXPECT_FALSE(Said("preparing"));
}

TEST_F(ResumeTest, GoesOnAfterTwoKills) {
  KillBeforeRound(2);
  options_.resume = true;
  KillBeforeRound(5);
  GoOnAndCheck();
}

TEST_F(ResumeTest, GoesOnAfterAnInterruption) {
  progress_.on_round = [seen = 0](const Stage&) mutable {
    if (++seen == 6) {
      ::kill(::getpid(), SIGINT);
    }
  };
  const Campaign interrupted = Run();
  EXPECT_EQ(interrupted.signal, SIGINT);
  EXPECT_TRUE(Said("interrupted: the same command with --resume goes on from here"));
  GoOnAndCheck();
}

TEST_F(ResumeTest, RefusesOtherOptions) {
  KillBeforeRound(3);
  options_.resume = true;
  options_.samples = 61;
  const auto campaign = RunCampaign(std::span(&model_, 1), choices_, options_, around_, progress_);
  ASSERT_FALSE(campaign.ok());
  EXPECT_EQ(campaign.error().code, Code::kInvalidArgument);
  EXPECT_THAT(campaign.error().message, HasSubstr("--samples 60"));
  EXPECT_THAT(campaign.error().message, HasSubstr("--samples 61"));
}

TEST_F(ResumeTest, BeginsAnewWhereNothingWasInterrupted) {
  options_.resume = true;
  EXPECT_EQ(Run().run.arms[2].speedup->rounds, 12);
  EXPECT_FALSE(Said("goes on"));
  EXPECT_TRUE(Said("it begins anew"));
}

}  // namespace
}  // namespace assay::campaign
