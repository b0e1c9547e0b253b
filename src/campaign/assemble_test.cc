#include "campaign/assemble.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace assay::campaign {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr double kMs = 1e6;

/// Three sessions of eight rounds; every arm has one sample a round, of `ms` times 1 + its wobble.
class AssembleTest : public ::testing::Test {
 protected:
  AssembleTest() {
    findings_.command_before = "assay run m";
    findings_.command_after = " --threads 2";
    findings_.seen.sessions.resize(3);
    for (SessionLog& session : findings_.seen.sessions) {
      session.rounds.resize(8);
    }
  }

  void Add(const std::string& label, double ms, double error = 0,
           std::vector<double> process_factors = {1, 1, 1}) {
    const std::size_t arm = findings_.arms.size();
    findings_.arms.emplace_back();
    findings_.arms.back().label = findings_.arms.back().conversion = label;
    findings_.arms.back().threads = 2;
    findings_.arms.back().precision = "fp32";
    findings_.arms.back().device = "cpu";
    ArmLog& log = findings_.seen.arms.emplace_back();
    log.loaded = engine::Loaded{
        .seconds = 1, .threads = 2, .precision = "fp32", .device = "cpu", .notes = {}};
    log.charges.threads_active = 2;
    log.load_s = {1, 3, 2};
    log.first_inference_ns = {30 * kMs, 10 * kMs, 20 * kMs};
    log.peak_rss_bytes = {100, 300, 200};
    log.stopped = "precision";
    for (std::size_t process = 0; process < 3; ++process) {
      SessionLog& session = findings_.seen.sessions[process];
      session.arms.push_back(arm);
      for (std::size_t round = 0; round < 8; ++round) {
        const double wobble = 1 + 0.001 * static_cast<double>((round * 3 + arm) % 8);
        const double ns = ms * kMs * wobble * process_factors[process];
        log.samples_ns.push_back(ns);
        log.slice_medians_ns.push_back(ns);
        session.rounds[round].push_back(ns);
      }
    }
    Judgement judgement;
    judgement.output.verdict = error == 0 ? "pass" : "fail";
    judgement.outcome = error == 0 ? record::Outcome::kMeasured : record::Outcome::kWrongOutput;
    judgement.reason = error == 0 ? "" : "its output is off";
    findings_.judgements.push_back(judgement);
  }
  record::Run Assemble() {
    record::Run run;
    campaign::Assemble(findings_, run);
    return run;
  }
  Findings findings_;
};

TEST_F(AssembleTest, FillsStatisticsAndMediansOverProcesses) {
  Add("EAGER", 10);
  const record::Arm arm = Assemble().arms[0];
  EXPECT_EQ(arm.outcome, record::Outcome::kMeasured);
  EXPECT_NEAR(arm.latency_ms->median, 10.035, 1e-9);
  EXPECT_NEAR(arm.latency_ms->min, 10, 1e-9);
  EXPECT_EQ(arm.latency_ms->n, 24u);
  EXPECT_FALSE(arm.latency_ms->p90);  // needs 44
  EXPECT_TRUE(arm.latency_ms->ci95);
  EXPECT_NEAR(*arm.throughput_per_s, 1000 / 10.035, 1e-6);
  EXPECT_EQ(arm.load_s, 2);
  EXPECT_EQ(arm.first_inference_ms, 20);
  EXPECT_EQ(arm.peak_rss_bytes, 200u);
  EXPECT_EQ(arm.timed, 24u);
  EXPECT_FALSE(arm.speedup);
  EXPECT_EQ(arm.repeat, "assay run m --conversions EAGER --threads 2");
}

TEST_F(AssembleTest, RanksArmsForThroughputApartAndSaysWhatTheyBring) {
  Add("EAGER", 10);
  Add("ONE", 6);
  Add("MANY", 3);
  findings_.arms[2].metric = record::kThroughput;
  ArmLog& log = findings_.seen.arms[2];
  log.loaded->places = 4;
  for (const double ns : log.samples_ns) {
    log.latencies_ns.insert(log.latencies_ns.end(), 4, 4 * ns);
    log.slice_latencies_ns.push_back(4 * ns);
  }
  record::Run run = Assemble();
  const record::Arm& many = run.arms[2];
  EXPECT_EQ(many.metric, "throughput");
  EXPECT_EQ(many.requests, 4);
  EXPECT_NEAR(many.latency_ms->median, 12.04, 0.1);
  EXPECT_EQ(many.latency_ms->n, 4 * 24u);
  EXPECT_NEAR(*many.throughput_per_s, 1000 / 3.01, 1);
  EXPECT_LT(many.throughput_ci95->low, *many.throughput_per_s);
  EXPECT_GT(many.throughput_ci95->high, *many.throughput_per_s);
  EXPECT_EQ(many.samples_ms.size(), 24u);
  EXPECT_EQ(many.speedup->metric, "throughput");
  EXPECT_NEAR(many.speedup->ratio, 10.0 / 3, 0.1);
  EXPECT_EQ(run.arms[1].speedup->metric, "latency");
  EXPECT_EQ(run.recommendation->conversion, "ONE");
  EXPECT_THAT(run.recommendation->not_separated_from, IsEmpty());
  EXPECT_EQ(run.recommendation->throughput->conversion, "MANY");
  EXPECT_THAT(run.recommendation->throughput->why, HasSubstr("2.00 x the throughput of ONE; 332"));
  EXPECT_THAT(run.recommendation->throughput->why,
              HasSubstr("with 4 at a time, each taking 12.04"));

  findings_.judgements[0].outcome = findings_.judgements[1].outcome = record::Outcome::kWrongOutput;
  run = Assemble();
  EXPECT_EQ(run.recommendation->conversion, "MANY");
  EXPECT_THAT(run.recommendation->why, HasSubstr("by throughput, as no arm that runs one"));
}

TEST_F(AssembleTest, RecommendsNoArmThatWasMeasuredBrieflyWhereAnotherIsFit) {
  Add("EAGER", 10);
  Add("BRIEF", 8);
  findings_.seen.arms[1].stopped = "cut";
  findings_.seen.arms[1].cut = "a short budget of 3 rounds";
  record::Run run = Assemble();
  EXPECT_EQ(run.recommendation->conversion, "EAGER");
  EXPECT_THAT(run.recommendation->not_separated_from, IsEmpty());
  EXPECT_EQ(run.arms[1].stopped, "cut");
  EXPECT_THAT(run.arms[1].notes, Contains(HasSubstr("a short budget of 3 rounds")));
  findings_.judgements[0].outcome = record::Outcome::kWrongOutput;
  run = Assemble();
  EXPECT_EQ(run.recommendation->conversion, "BRIEF");
}

TEST_F(AssembleTest, SaysWhereAThroughputIsNoBetterThanOneInferenceAtATime) {
  Add("EAGER", 10);
  Add("MANY", 11);
  findings_.arms[1].metric = record::kThroughput;
  record::Run run = Assemble();
  EXPECT_THAT(run.recommendation->throughput->why,
              HasSubstr("0.91 x the throughput of EAGER: one inference at a time gives more"));
  findings_ = {};
  findings_.seen.sessions.assign(3, {});
  for (SessionLog& session : findings_.seen.sessions) {
    session.rounds.resize(8);
  }
  Add("EAGER", 10);
  Add("MANY", 10);
  findings_.arms[1].metric = record::kThroughput;
  run = Assemble();
  EXPECT_THAT(run.recommendation->throughput->why, HasSubstr("cannot be told from it"));
  findings_.seen.arms[1].cut = "3 times slower than EAGER after 4 rounds";
  EXPECT_THAT(Assemble().recommendation->throughput->why, Not(HasSubstr("cannot be told")));
}

TEST_F(AssembleTest, SaysWhatScalesWereMadeFrom) {
  Add("EAGER", 10);
  Add("INT8", 5);
  findings_.calibration_options = " --calibration typical";
  findings_.arms[1].calibration =
      record::Calibration{.source = "synthetic", .folder = "", .method = "minmax", .samples = 4};
  record::Run run = Assemble();
  EXPECT_THAT(run.recommendation->why, HasSubstr("scales come from synthetic inputs"));
  EXPECT_THAT(run.arms[1].notes, Contains("calibrated on 4 synthetic inputs"));
  EXPECT_EQ(run.arms[0].repeat, "assay run m --conversions EAGER --threads 2");
  EXPECT_EQ(run.arms[1].repeat, "assay run m --conversions INT8 --threads 2 --calibration typical");
  findings_.arms[1].calibration->source = "files";
  findings_.arms[1].calibration->folder = "typical";
  findings_.arms[1].calibration->dropped = 3;
  run = Assemble();
  EXPECT_THAT(run.recommendation->why, Not(HasSubstr("synthetic")));
  EXPECT_THAT(run.arms[1].notes,
              Contains("calibrated on 4 samples of typical; 3 rows at the end fill no sample"));
}

TEST_F(AssembleTest, AnArmOfAQuantisedModelObtainsItsClassWhenTheEngineDidAsTold) {
  Add("EAGER", 10);
  Add("OTHER", 10);
  for (ArmFacts& facts : findings_.arms) {
    facts.precision = "int8-qdq";
    facts.told = "fp32";
  }
  findings_.seen.arms[1].loaded->precision = "bf16";
  const record::Run run = Assemble();
  EXPECT_EQ(run.arms[0].precision.obtained, "int8-qdq");
  EXPECT_EQ(run.arms[0].outcome, record::Outcome::kMeasured);
  EXPECT_EQ(run.arms[1].precision.obtained, "bf16");
  EXPECT_EQ(run.arms[1].reason, "asked for precision int8-qdq, obtained bf16");
}

TEST_F(AssembleTest, AModelInFp16MayBeComputedInFp32ButInNothingElse) {
  Add("EAGER", 10);
  Add("WIDER", 10);
  Add("OTHER", 10);
  for (std::size_t i = 0; i < 3; ++i) {
    findings_.arms[i].precision = findings_.arms[i].told = "fp16";
    findings_.arms[i].as_is = true;
    findings_.seen.arms[i].loaded->precision = std::vector{"fp16", "fp32", "bf16"}[i];
  }
  const record::Run run = Assemble();
  EXPECT_EQ(run.arms[1].outcome, record::Outcome::kMeasured);
  EXPECT_EQ(run.arms[1].precision.obtained, "fp32");
  EXPECT_EQ(run.arms[2].outcome, record::Outcome::kMistrusted);
  EXPECT_EQ(run.arms[2].reason, "asked for precision fp16, obtained bf16");
}

TEST_F(AssembleTest, CountsEveryInferenceOfABatch) {
  Add("EAGER", 0.001);
  findings_.seen.arms[0].size.batch = 10;
  const record::Arm arm = Assemble().arms[0];
  EXPECT_EQ(arm.timed, 240u);
  EXPECT_EQ(arm.batch, 10);
  EXPECT_THAT(arm.notes, Contains("timed in batches of 10 inferences"));
}

TEST_F(AssembleTest, RecommendsTheFastestWhoseOutputPassed) {
  Add("EAGER", 10);
  Add("WRONG", 2, /*error=*/1);
  Add("FAST", 5);
  Add("SLOW", 20);
  const record::Run run = Assemble();
  EXPECT_EQ(run.baseline, "EAGER");
  EXPECT_EQ(run.arms[1].outcome, record::Outcome::kWrongOutput);
  EXPECT_NEAR(run.arms[1].speedup->ratio, 5, 0.05);
  EXPECT_NEAR(run.arms[2].speedup->ratio, 2, 0.02);
  EXPECT_TRUE(run.arms[2].speedup->separated);
  EXPECT_EQ(run.arms[2].speedup->rounds, 24);
  EXPECT_EQ(run.recommendation->conversion, "FAST");
  EXPECT_THAT(run.recommendation->not_separated_from, IsEmpty());
  EXPECT_THAT(run.recommendation->why, HasSubstr("x the speed of EAGER"));
}

TEST_F(AssembleTest, SaysWhatCannotBeToldFromTheWinner) {
  Add("EAGER", 10);
  Add("A", 5);
  Add("B", 5.02);  // 0.4 % apart: no difference, however sure
  EXPECT_THAT(Assemble().recommendation->not_separated_from, ElementsAre("B"));
}

TEST_F(AssembleTest, DoesNotSeparateOnRoundsWhatProcessesTurnRound) {
  Add("EAGER", 10);
  Add("A", 5);
  Add("B", 5.3, 0, {1.1, 1.1, 0.93});
  const record::Run run = Assemble();
  EXPECT_EQ(run.recommendation->conversion, "A");
  EXPECT_THAT(run.recommendation->not_separated_from, ElementsAre("B"));
  EXPECT_GT(*run.arms[2].process_spread, 0.05);
  EXPECT_THAT(run.arms[2].notes, Contains(HasSubstr("its processes differ by")));
}

TEST_F(AssembleTest, ComparesWithTheFirstMeasuredArmWhenThePreferredHasNone) {
  Add("FIRST", 5);
  Add("EAGER", 10);
  findings_.baseline = 1;
  findings_.seen.arms[1].samples_ns.clear();
  findings_.seen.arms[1].slice_medians_ns.clear();
  findings_.seen.arms[1].end =
      End{.outcome = record::Outcome::kCrashed, .reason = "killed", .hint = "", .stage = "load"};
  const record::Run run = Assemble();
  EXPECT_EQ(run.baseline, "FIRST");
  EXPECT_EQ(run.arms[1].outcome, record::Outcome::kCrashed);
  EXPECT_FALSE(run.arms[1].latency_ms);
  EXPECT_EQ(run.recommendation->why, "the only one whose output passed");
}

TEST_F(AssembleTest, MistrustsTheRunWhoseControlIsNotAsFastAsItself) {
  Add("EAGER", 10);
  Add("EAGER (control)", 10.5);
  findings_.arms[1].control = true;
  const record::Run run = Assemble();
  EXPECT_EQ(run.trust, "mistrusted");
  EXPECT_THAT(run.trust_reasons, ElementsAre(HasSubstr("EAGER against itself came out as")));
  EXPECT_EQ(run.recommendation->conversion, "EAGER");
  EXPECT_EQ(run.arms[1].repeat, "assay run m --conversions EAGER --control --threads 2");
}

TEST_F(AssembleTest, TrustsTheRunWhoseControlLiesWithinOnePercent) {
  Add("EAGER", 10);
  Add("EAGER (control)", 10.01);
  findings_.arms[1].control = true;
  EXPECT_EQ(Assemble().trust, "ok");
}

TEST_F(AssembleTest, PutsASuspectLoweringAmongTheReasons) {
  Add("EAGER", 10);
  findings_.lowering_suspect = "the lowering is suspect";
  EXPECT_THAT(Assemble().trust_reasons, ElementsAre("the lowering is suspect"));
}

TEST_F(AssembleTest, LeavesArmsNotRunThatASignalOrTheBudgetCameBefore) {
  Add("EAGER", 10);
  Add("B", 10);
  findings_.seen.arms[1] = {};
  EXPECT_EQ(Assemble().arms[1].outcome, record::Outcome::kNotRun);
  EXPECT_EQ(Assemble().arms[1].stopped, "budget");
  findings_.signal = 2;
  EXPECT_EQ(Assemble().arms[1].stopped, "interrupted");
}

TEST_F(AssembleTest, NotesWhatWasToBeExpected) {
  Add("FP16+EAGER", 10);
  findings_.arms[0].warning = "2 to 40 times slower";
  EXPECT_THAT(Assemble().arms[0].notes, Contains("2 to 40 times slower"));
}

TEST_F(AssembleTest, NotesOutliersWithWhatTheKernelCharged) {
  Add("EAGER", 10);
  findings_.seen.arms[0].samples_ns[5] = 500 * kMs;
  findings_.seen.arms[0].charges.involuntary_switches = 12;
  findings_.seen.arms[0].steal_ticks = 50;
  EXPECT_THAT(Assemble().arms[0].notes,
              Contains("1 of 24 samples lie beyond 10 sigma (kept); while it was timed: 12 "
                       "involuntary context switches, 0 major and 0 minor page faults, 0.50 s "
                       "taken by the hypervisor"));
}

TEST_F(AssembleTest, MistrustsAnArmWhoseEngineDoubtsThatItIsWhatWasAskedFor) {
  Add("EAGER", 20);
  Add("INT8", 10);
  Add("COMPILED", 10);
  findings_.arms[1].artifact.emplace().doubt = "nothing was quantised";
  findings_.seen.arms[2].loaded->doubt = "all of it runs in eager PyTorch";
  const record::Run run = Assemble();
  EXPECT_EQ(run.arms[1].outcome, record::Outcome::kMistrusted);
  EXPECT_EQ(run.arms[1].reason, "nothing was quantised");
  EXPECT_EQ(run.arms[2].outcome, record::Outcome::kMistrusted);
  EXPECT_EQ(run.arms[2].reason, "all of it runs in eager PyTorch");
}

}  // namespace
}  // namespace assay::campaign
