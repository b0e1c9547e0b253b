#include "campaign/rounds.h"

#include <gtest/gtest.h>

#include <cmath>

#include "campaign/pairing.h"
#include "campaign/scripted_workshop.h"

namespace assay::campaign {
namespace {

constexpr double kMs = 1e6;

class RoundsTest : public ::testing::Test {
 protected:
  void Add(const std::string& name, double latency_ms) {
    Add(name, {.latency_ns = [=](int, int) { return latency_ms * kMs; }});
  }
  void Add(const std::string& name, ScriptedArm arm) {
    shop_.arms[name] = std::move(arm);
    ArmPlan planned;
    planned.label = planned.job.conversion = name;
    plan_.arms.push_back(planned);
    seen_.arms.emplace_back();
  }
  void Run() { MeasureInRounds(plan_, shop_, progress_, seen_); }

  std::size_t Loads(const std::string& name) const {
    return static_cast<std::size_t>(std::count(shop_.log.begin(), shop_.log.end(), "load " + name));
  }

  ScriptedWorkshop shop_;
  RoundsPlan plan_;
  SilentProgress progress_;
  Measurements seen_;
};

TEST_F(RoundsTest, StopsAtTheFirstLookThatHoldsTheSamplesWhenAllIsPrecise) {
  Add("EAGER", 10);
  Add("FAST", 5);  // 50 ms: slices of 10 inferences; 12 rounds hold 120, 20 rounds 200
  Run();
  EXPECT_EQ(seen_.sessions.size(), 3u);
  EXPECT_EQ(seen_.sessions[0].rounds.size(), 7u);  // ceil(20 / 3)
  EXPECT_EQ(seen_.arms[0].samples_ns.size(), 210u);
  EXPECT_EQ(seen_.arms[1].samples_ns.size(), 210u);
  EXPECT_EQ(seen_.arms[1].stopped, "precision");
  EXPECT_EQ(shop_.violations, 0);
  for (const auto& session : LogRatios(seen_, 0, 1)) {
    for (const double ratio : session) {
      EXPECT_DOUBLE_EQ(ratio, std::log(2));
    }
  }
}

TEST_F(RoundsTest, LoadsTheNextGenerationBesideTheFirstWhereThatIsAsked) {
  Add("EAGER", 10);
  Add("B", 10);
  plan_.processes = 2;
  plan_.samples = 60;
  Run();
  const Measurements one_by_one = seen_;
  EXPECT_EQ(shop_.most_alive, 2u);
  seen_ = {.arms = std::vector<ArmLog>(2), .sessions = {}, .notes = {}};
  shop_.log.clear();
  plan_.ahead = true;
  Run();
  EXPECT_EQ(shop_.most_alive, 4u);
  EXPECT_EQ(Loads("EAGER"), 2u);
  EXPECT_EQ(Loads("B"), 2u);
  const auto infers =
      std::find(shop_.log.begin(), shop_.log.end(), "infer EAGER") - shop_.log.begin();
  EXPECT_EQ(std::count(shop_.log.begin(), shop_.log.begin() + infers, "load B"), 2);
  EXPECT_EQ(shop_.violations, 0);
  ASSERT_EQ(seen_.sessions.size(), one_by_one.sessions.size());
  EXPECT_EQ(seen_.arms[1].samples_ns.size(), one_by_one.arms[1].samples_ns.size());
  EXPECT_EQ(seen_.arms[1].load_s.size(), 2u);
}

TEST_F(RoundsTest, LoadsNothingAheadThatMemoryHasNoRoomFor) {
  for (const char* name : {"EAGER", "B"}) {
    Add(name, 10);
    plan_.arms.back().expected_bytes = 100;
  }
  shop_.memory = (512ull << 20) + 250;
  plan_.ahead = true;
  Run();
  EXPECT_EQ(shop_.most_alive, 2u);
  EXPECT_EQ(seen_.sessions.size(), 3u);
}

TEST_F(RoundsTest, EndsAnArmWhoseProcessAheadDidNotLoadWhenThatIsDue) {
  Add("EAGER", 10);
  Add("B", {.fails = [](const std::string& verb, int process, int) -> std::optional<Error> {
        return verb == "load" && process == 1 ? std::optional(Error{Code::kCrashed, "died", ""})
                                              : std::nullopt;
      }});
  plan_.ahead = true;
  Run();
  ASSERT_TRUE(seen_.arms[1].end);
  EXPECT_EQ(seen_.arms[1].end->stage, "load");
  EXPECT_EQ(seen_.arms[1].slice_medians_ns.size(), seen_.sessions[0].rounds.size());
  EXPECT_EQ(seen_.sessions[1].arms, std::vector<std::size_t>{0});
}

TEST_F(RoundsTest, TakesTurnsInRandomOrderThatTheSeedDecides) {
  Add("EAGER", 10);
  Add("B", 10);
  Add("C", 10);
  Run();
  const std::vector<std::string> first = shop_.log;
  const Measurements empty = {.arms = std::vector<ArmLog>(3), .sessions = {}, .notes = {}};
  seen_ = empty;
  ScriptedWorkshop again;
  again.arms = shop_.arms;
  MeasureInRounds(plan_, again, progress_, seen_);
  EXPECT_EQ(again.log, first);
  plan_.seed = 1;
  seen_ = empty;
  ScriptedWorkshop other;
  other.arms = shop_.arms;
  MeasureInRounds(plan_, other, progress_, seen_);
  EXPECT_NE(other.log, first);
}

TEST_F(RoundsTest, KeepsTheRoundsOfAnArmThatDiesAndGoesOnWithTheOthers) {
  Add("EAGER", 10);
  Add("DIES",
      {.latency_ns = [](int, int) { return 10 * kMs; },
       .fails = [](const std::string& verb, int process, int slice) -> std::optional<Error> {
         // Slices: 0 the first inference, 1 to 3 the warm-up, then the rounds.
         if (verb == "infer" && process == 0 && slice == 4 + 6) {
           return Error{Code::kCrashed, "killed by signal 9", ""};
         }
         return std::nullopt;
       }});
  Run();
  ASSERT_TRUE(seen_.arms[1].end);
  EXPECT_EQ(seen_.arms[1].end->outcome, record::Outcome::kCrashed);
  EXPECT_EQ(seen_.arms[1].end->stage, "timing");
  EXPECT_EQ(seen_.arms[1].slice_medians_ns.size(), 6u);
  EXPECT_EQ(LogRatios(seen_, 0, 1).front().size(), 6u);
  EXPECT_EQ(seen_.arms[0].slice_medians_ns.size(), 30u);  // 5 a slice: 30 rounds hold 128
  EXPECT_EQ(Loads("DIES"), 1u);
  EXPECT_EQ(Loads("EAGER"), 3u);
}

TEST_F(RoundsTest, RunsFurtherGenerationsWhileAnIntervalIsWide) {
  Add("EAGER", {.latency_ns = [](int, int slice) { return (slice % 2 == 0 ? 10 : 10.4) * kMs; }});
  Add("CLOSE", {.latency_ns = [](int, int slice) { return (slice % 3 == 0 ? 10 : 10.5) * kMs; }});
  plan_.precision_target = 0.001;
  plan_.goal = Goal::kEverywhere;
  Run();
  EXPECT_EQ(seen_.arms[1].stopped, "rounds");
  EXPECT_EQ(seen_.arms[1].slice_medians_ns.size(), 80u);  // shares of 10 up to the last look
}

TEST_F(RoundsTest, LeavesOutAnArmWhoseProcessesDifferOnceItCannotWin) {
  Add("EAGER", 10);
  Add("VARIES", {.latency_ns = [](int process, int) { return (14 + process) * kMs; }});
  Run();
  EXPECT_EQ(seen_.arms[1].stopped, "decided");
  EXPECT_EQ(Loads("VARIES"), 3u);
  EXPECT_EQ(Loads("EAGER"), 3u);
}

TEST_F(RoundsTest, AsksForMoreProcessesWhileAnArmWhoseProcessesDifferCouldStillWin) {
  Add("EAGER", 10);
  Add("VARIES", {.latency_ns = [](int process, int) { return (9 + 0.3 * (process % 3)) * kMs; }});
  Run();
  EXPECT_GT(Loads("VARIES"), 3u);
}

TEST_F(RoundsTest, EndsWithTheBudgetWhateverSamplesAndPrecisionAsk) {
  Add("EAGER", 1000);
  Add("SLOW", 2000);
  plan_.budget_s = 60;
  Run();
  EXPECT_EQ(seen_.arms[0].stopped, "budget");
  EXPECT_GE(seen_.arms[1].slice_medians_ns.size(), 1u);
  EXPECT_LE(seen_.timing_s, 60 + 7 * 3.0 + 1);  // one round more than the budget at the most
}

TEST_F(RoundsTest, WaitingForAnArmThatHangsCostsTheOthersNoBudget) {
  for (const int hangs_at : {1, 4 + 2}) {  // in the warm-up, in the third round
    shop_ = {};
    seen_ = {};
    plan_.arms.clear();
    Add("EAGER", 10);
    Add("HANGS",
        {.latency_ns = [](int, int) { return 10 * kMs; },
         .fails = [hangs_at](const std::string& verb, int, int slice) -> std::optional<Error> {
           if (verb == "infer" && slice == hangs_at) {
             return Error{Code::kTimedOut, "no answer", ""};
           }
           return std::nullopt;
         }});
    plan_.budget_s = 30;  // half of what a slice may take
    Run();
    EXPECT_EQ(seen_.arms[1].end->outcome, record::Outcome::kTimedOut);
    EXPECT_EQ(seen_.arms[0].slice_medians_ns.size(), 30u);
    EXPECT_NE(seen_.arms[0].stopped, "budget");
    EXPECT_LT(seen_.timing_s, 30);
  }
}

TEST_F(RoundsTest, TakesOneRoundEvenWhenTheWarmUpSpentTheBudget) {
  Add("EAGER", 1000);
  plan_.budget_s = 0.001;
  Run();
  EXPECT_EQ(seen_.arms[0].slice_medians_ns.size(), 1u);
  EXPECT_EQ(seen_.arms[0].stopped, "budget");
}

TEST_F(RoundsTest, FormsGroupsThatShareTheBaselineWhereMemoryIsShort) {
  shop_.memory = (512ull << 20) + 350;
  for (const char* name : {"EAGER", "B", "C", "D"}) {
    Add(name, 10);
    plan_.arms.back().expected_bytes = 100;
  }
  Run();
  EXPECT_EQ(shop_.most_alive, 3u);
  ASSERT_EQ(seen_.sessions.size(), 6u);
  EXPECT_EQ(seen_.sessions[0].arms, (std::vector<std::size_t>{0, 1, 2}));
  EXPECT_EQ(seen_.sessions[1].arms, (std::vector<std::size_t>{0, 3}));
  EXPECT_EQ(LogRatios(seen_, 0, 3).size(), 3u);
  EXPECT_EQ(seen_.notes.size(), 1u);
}

TEST_F(RoundsTest, DecidesBetweenArmsOfTwoGroupsThroughTheBaseline) {
  shop_.memory = (512ull << 20) + 250;
  for (const char* name : {"EAGER", "B", "C"}) {
    Add(name, name[0] == 'C' ? 5 : 8);
    plan_.arms.back().expected_bytes = 100;
  }
  plan_.samples = 60;
  Run();
  EXPECT_EQ(shop_.most_alive, 2u);
  EXPECT_EQ(seen_.sessions.size(), 6u);  // three generations, and no more to tell B from C
  EXPECT_NEAR(LogRatios(seen_, 1, 2).front().front(), std::log(8.0 / 5), 1e-9);
}

/// Heats of two arms beside the baseline; what is three times slower than the leader is cut.
class HeatsTest : public RoundsTest {
 protected:
  HeatsTest() {
    plan_.samples = 60;
    plan_.heat = 2;
    plan_.cut = 3;
  }
};

TEST_F(HeatsTest, CutsWhatIsHopelessAfterTheFirstGenerationAndMeasuresTheRestTogether) {
  Add("EAGER", 20);
  Add("HOPELESS", 40);
  Add("FAST", 10);
  Add("FASTER", 9);
  Add("SLOW", 29);
  Run();
  ASSERT_GE(seen_.sessions.size(), 4u);
  EXPECT_EQ(seen_.sessions[0].arms, (std::vector<std::size_t>{0, 1, 2}));
  EXPECT_EQ(seen_.sessions[1].arms, (std::vector<std::size_t>{0, 3, 4}));
  EXPECT_EQ(seen_.sessions[2].arms, (std::vector<std::size_t>{0, 2, 3}));
  EXPECT_EQ(seen_.arms[1].stopped, "cut");
  EXPECT_EQ(seen_.arms[1].cut, "4.4 times slower than FASTER after 4 rounds");
  EXPECT_EQ(seen_.arms[4].stopped, "cut");
  EXPECT_EQ(seen_.arms[1].slice_medians_ns.size(), 4u);
  EXPECT_EQ(seen_.arms[2].slice_medians_ns.size(), 12u);
  EXPECT_EQ(seen_.arms[0].slice_medians_ns.size(), 16u);  // of two heats
  EXPECT_NE(seen_.arms[0].stopped, "cut");
  EXPECT_EQ(Loads("HOPELESS"), 1u);
  EXPECT_EQ(shop_.violations, 0);
}

TEST_F(HeatsTest, DoNotLetAnArmLeadWhoseOutputsAreWrong) {
  Add("EAGER", 10);
  Add("WRONG", 1);
  Add("RIGHT", 5);
  plan_.may_lead = [](std::size_t arm) { return arm != 1; };
  Run();
  EXPECT_NE(seen_.arms[2].stopped, "cut");
  EXPECT_EQ(seen_.arms[2].slice_medians_ns.size(), 12u);
}

TEST_F(HeatsTest, LetAnyArmLeadWhereTheOutputsOfNoneAreKnownToBeRight) {
  Add("EAGER", 10);
  Add("FAST", 1);
  plan_.may_lead = [](std::size_t) { return false; };
  plan_.baseline = 1;
  Run();
  EXPECT_EQ(seen_.arms[0].stopped, "cut");
}

TEST_F(HeatsTest, KeepAnArmThatStays) {
  Add("EAGER", 10);
  Add("FAST", 1);
  Add("CONTROL", 10);
  plan_.arms[2].stays = true;
  Run();
  EXPECT_EQ(seen_.arms[2].slice_medians_ns.size(), 12u);
  EXPECT_NE(seen_.arms[2].stopped, "cut");
}

TEST_F(HeatsTest, ShareAnotherArmOnceTheBaselineHasDied) {
  Add("EAGER",
      {.latency_ns = [](int, int) { return 10 * kMs; },
       .fails = [](const std::string& verb, int, int) -> std::optional<Error> {
         return verb == "load" ? std::optional(Error{Code::kCrashed, "died", ""}) : std::nullopt;
       }});
  for (const char* name : {"B", "C", "D", "E"}) {
    Add(name, 10);
  }
  Run();
  EXPECT_EQ(seen_.sessions[1].arms, (std::vector<std::size_t>{1, 3, 4}));
  EXPECT_FALSE(LogRatios(seen_, 2, 4).empty());
}

TEST_F(RoundsTest, TakesNoLookBeyondTheMostRounds) {
  Add("EAGER", {.latency_ns = [](int, int slice) { return (slice % 2 == 0 ? 10 : 10.4) * kMs; }});
  Add("CLOSE", {.latency_ns = [](int, int slice) { return (slice % 3 == 0 ? 10 : 10.5) * kMs; }});
  plan_.precision_target = 0.001;
  plan_.goal = Goal::kEverywhere;
  plan_.samples = 60;
  plan_.most_rounds = 20;
  Run();
  EXPECT_EQ(seen_.arms[1].stopped, "rounds");
  EXPECT_EQ(seen_.arms[1].slice_medians_ns.size(), 20u);
}

TEST_F(RoundsTest, TriesAnArmThatIsTooLargeAloneWithTheBaseline) {
  shop_.memory = 1;
  Add("EAGER", 10);
  Add("B", 10);
  Run();
  EXPECT_EQ(seen_.arms[1].stopped, "precision");
}

TEST_F(RoundsTest, KeepsWhatWasMeasuredWhenInterrupted) {
  Add("EAGER", 10);
  Add("B", 10);
  shop_.interrupt_at_s = 1.2;
  Run();
  EXPECT_EQ(seen_.arms[0].stopped, "interrupted");
  EXPECT_FALSE(seen_.arms[0].end);
  EXPECT_GT(seen_.arms[0].slice_medians_ns.size(), 0u);
  EXPECT_EQ(seen_.sessions.size(), 1u);
}

TEST_F(RoundsTest, EndsAnArmWhoseSliceHoldsSomethingElseThanWasAskedFor) {
  Add("EAGER", 10);
  Add("LIES", {.latency_ns = [](int, int slice) { return slice < 5 ? 10 * kMs : 0; }});
  Run();
  ASSERT_TRUE(seen_.arms[1].end);
  EXPECT_EQ(seen_.arms[1].end->outcome, record::Outcome::kFailed);
  EXPECT_EQ(seen_.arms[1].end->reason, "a latency of 0 ns was reported");
}

TEST_F(RoundsTest, MeasuresAFewRoundsOfAnArmThatIsKnownToBeSlow) {
  Add("EAGER", 10);
  Add("SLOW", 300);
  Add("FAST", 5);
  plan_.arms[1].brief = true;
  Run();
  EXPECT_EQ(seen_.arms[1].slice_medians_ns.size(), 3u);
  EXPECT_EQ(seen_.arms[1].stopped, "cut");
  EXPECT_EQ(seen_.arms[1].cut,
            "a short budget of 3 rounds in one process, as it is known to be slow");
  EXPECT_EQ(seen_.arms[1].peak_rss_bytes.size(), 1u);
  EXPECT_EQ(Loads("SLOW"), 1u);
  EXPECT_EQ(LogRatios(seen_, 0, 1).size(), 1u);
  EXPECT_EQ(seen_.sessions[0].rounds.size(), 7u) << "as many as without it";
  EXPECT_EQ(seen_.arms[2].stopped, "precision");
  EXPECT_EQ(shop_.violations, 0);
}

TEST_F(RoundsTest, GoesOnWithAnArmThatWasTakenToBeSlowAndIsNot) {
  Add("EAGER", 10);
  Add("QUICK", 5);
  plan_.arms[1].brief = true;
  Run();
  EXPECT_EQ(seen_.arms[1].stopped, "precision");
  EXPECT_EQ(seen_.arms[1].slice_medians_ns.size(), seen_.arms[0].slice_medians_ns.size());
}

TEST_F(RoundsTest, KeepsWhatOthersAreComparedWithHoweverSlow) {
  Add("SLOW", 300);
  Add("FAST", 5);
  plan_.arms[0].brief = true;
  Run();
  EXPECT_NE(seen_.arms[0].stopped, "cut");
  EXPECT_EQ(seen_.arms[1].stopped, "precision");
}

TEST_F(RoundsTest, EndsAfterAFewRoundsWhereAllAreKnownToBeSlow) {
  Add("SLOW", 300);
  Add("SLOWER", 600);
  plan_.arms[0].brief = plan_.arms[1].brief = true;
  plan_.processes = 12;  // a share of one round
  Run();
  for (const ArmLog& log : seen_.arms) {
    EXPECT_EQ(log.stopped, "cut");
    EXPECT_EQ(log.slice_medians_ns.size(), 1u);
  }
}

TEST_F(RoundsTest, SaysThatAnArmWasNeverSteady) {
  Add("EAGER", {.latency_ns = [](int, int slice) { return (10 + slice % 2) * kMs; }});
  Run();
  EXPECT_EQ(seen_.arms[0].steady.front(), false);
}

}  // namespace
}  // namespace assay::campaign
