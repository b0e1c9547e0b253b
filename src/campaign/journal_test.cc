#include "campaign/journal.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>

namespace assay::campaign {
namespace {

using ::testing::HasSubstr;

class JournalTest : public ::testing::Test {
 protected:
  JournalTest() {
    std::string pattern = ::testing::TempDir() + "journal-XXXXXX";
    home_ = ::mkdtemp(pattern.data());
    identity_.details = {{"the model", "0123"}, {"--threads", 2}};
    seen_.arms.resize(2);
  }
  ~JournalTest() override { std::filesystem::remove_all(home_); }

  Result<Journal> Open(bool resume, const char* started = "now") {
    return Journal::Open(home_, identity_, resume, started);
  }
  std::filesystem::path File() const {
    const auto folder = *std::filesystem::directory_iterator(home_ / "journals");
    return folder.path() / "journal.jsonl";
  }
  void Round(double ns) {
    seen_.arms[0].samples_ns.insert(seen_.arms[0].samples_ns.end(), {ns, ns});
    seen_.arms[0].slice_medians_ns.push_back(ns);
    seen_.arms[0].latencies_ns.insert(seen_.arms[0].latencies_ns.end(), {ns, 2 * ns});
    seen_.arms[0].slice_latencies_ns.push_back(1.5 * ns);
    seen_.sessions.back().rounds.push_back({ns, std::nullopt});
    ++course_.round;
  }

  std::filesystem::path home_;
  Identity identity_{.model = "tiny", .arms = {"A", "B"}, .details = {}};
  Measurements seen_;
  Course course_{.groups = {{0, 1}}, .share = 4, .next_look = 12};
};

TEST_F(JournalTest, GivesBackAllThatWasKept) {
  {
    auto journal = Open(false, "first");
    ASSERT_TRUE(journal.ok());
    seen_.sessions.push_back({.generation = 0, .arms = {0, 1}, .rounds = {}});
    seen_.arms[0].loaded = engine::Loaded{.seconds = 1,
                                          .threads = 2,
                                          .precision = "bf16",
                                          .device = "cpu",
                                          .notes = {"a"},
                                          .doubt = "d",
                                          .places = 4};
    seen_.arms[0].size = {.count = 7, .batch = 3};
    seen_.arms[0].charges.cpu_ns = 9;
    seen_.arms[0].steady = {true, false};
    seen_.arms[0].outputs = journal->outputs() / "0.safetensors";
    Round(0.1);
    ASSERT_TRUE(journal->Keep(seen_, course_, 5).ok());
    Round(1.0 / 3);
    seen_.arms[1].end = End{record::Outcome::kTimedOut, "late", "hint", "load"};
    seen_.timing_s = 3;
    ASSERT_TRUE(journal->Keep(seen_, course_, 6).ok());
  }
  const auto again = Open(true, "second");
  ASSERT_TRUE(again.ok());
  const Journal::State& found = again->found();
  EXPECT_TRUE(found.continues);
  EXPECT_EQ(found.started, "first");
  EXPECT_EQ(found.seconds, 6);
  EXPECT_EQ(found.seen.timing_s, 3);
  EXPECT_EQ(found.course.round, 2);
  EXPECT_EQ(found.course.groups, course_.groups);
  const ArmLog& log = found.seen.arms[0];
  EXPECT_EQ(log.samples_ns, (std::vector<double>{0.1, 0.1, 1.0 / 3, 1.0 / 3}));
  EXPECT_EQ(log.slice_medians_ns, seen_.arms[0].slice_medians_ns);
  EXPECT_EQ(log.latencies_ns, seen_.arms[0].latencies_ns);
  EXPECT_EQ(log.slice_latencies_ns, seen_.arms[0].slice_latencies_ns);
  EXPECT_EQ(log.loaded->places, 4);
  EXPECT_EQ(log.loaded->precision, "bf16");
  EXPECT_EQ(log.loaded->doubt, "d");
  EXPECT_EQ(log.size.batch, 3);
  EXPECT_EQ(log.charges.cpu_ns, 9);
  EXPECT_EQ(log.steady, (std::vector<bool>{true, false}));
  EXPECT_EQ(log.outputs, seen_.arms[0].outputs);
  EXPECT_EQ(found.seen.arms[1].end->outcome, record::Outcome::kTimedOut);
  EXPECT_EQ(found.seen.arms[1].end->stage, "load");
  EXPECT_EQ(found.seen.sessions.front().rounds, seen_.sessions.front().rounds);
}

TEST_F(JournalTest, WritesEachSampleOnce) {
  auto journal = Open(false);
  seen_.sessions.push_back({.generation = 0, .arms = {0, 1}, .rounds = {}});
  Round(123.25);
  ASSERT_TRUE(journal->Keep(seen_, course_, 1).ok());
  Round(456.25);
  ASSERT_TRUE(journal->Keep(seen_, course_, 2).ok());
  const std::string text = *ReadFile(File());
  EXPECT_EQ(text.find("[123.25,123.25]"), text.rfind("[123.25,123.25]"));
}

TEST_F(JournalTest, PassesOverALineThatWasCutOffAndGoesOnBehindTheLastWholeOne) {
  {
    auto journal = Open(false);
    course_.round = 1;
    ASSERT_TRUE(journal->Keep(seen_, course_, 1).ok());
    course_.round = 2;
    ASSERT_TRUE(journal->Keep(seen_, course_, 2).ok());
  }
  std::filesystem::resize_file(File(), std::filesystem::file_size(File()) - 10);
  {
    auto journal = Open(true);
    EXPECT_EQ(journal->found().course.round, 1);
    course_.round = 3;
    ASSERT_TRUE(journal->Keep(seen_, course_, 3).ok());
  }
  EXPECT_EQ(Open(true)->found().course.round, 3);
}

TEST_F(JournalTest, BeginsAnewWithoutResume) {
  ASSERT_TRUE(Open(false)->Keep(seen_, course_, 1).ok());
  EXPECT_FALSE(Open(false)->found().continues);
  const auto begun = Open(true);
  EXPECT_TRUE(begun->found().continues);  // though with nothing measured
  EXPECT_EQ(begun->found().course.share, 0);
}

TEST_F(JournalTest, BeginsWhereThereIsNothingToGoOnFrom) {
  const auto journal = Open(true);
  ASSERT_TRUE(journal.ok());
  EXPECT_FALSE(journal->found().continues);
  EXPECT_TRUE(journal->writes());
}

TEST_F(JournalTest, RefusesToGoOnWithOtherDetailsAndNamesTheFirst) {
  ASSERT_TRUE(Open(false)->Keep(seen_, course_, 1).ok());
  identity_.details["--threads"] = 1;
  const auto other = Open(true);
  ASSERT_FALSE(other.ok());
  EXPECT_EQ(other.error().code, Code::kInvalidArgument);
  EXPECT_EQ(other.error().message, "the interrupted run of tiny had --threads 2, now it is 1");
  EXPECT_TRUE(Open(false).ok());
}

TEST_F(JournalTest, IsHeldByOneRunAtATime) {
  auto first = Open(false);
  auto second = Open(false);
  ASSERT_TRUE(second.ok());
  EXPECT_FALSE(second->writes());
  EXPECT_TRUE(second->Keep(seen_, course_, 1).ok());
  second->Remove();
  EXPECT_TRUE(std::filesystem::exists(File()));
  const auto third = Open(true);
  ASSERT_FALSE(third.ok());
  EXPECT_THAT(third.error().message, HasSubstr("is under way"));
}

TEST_F(JournalTest, IsGoneOnceTheCampaignHasEnded) {
  Open(false)->Remove();
  EXPECT_TRUE(std::filesystem::is_empty(home_ / "journals"));
}

TEST_F(JournalTest, SaysThatItCannotBeRead) {
  ASSERT_TRUE(Open(false).ok());
  std::ofstream(File()) << "no journal\n";
  EXPECT_FALSE(Open(true).ok());
}

}  // namespace
}  // namespace assay::campaign
