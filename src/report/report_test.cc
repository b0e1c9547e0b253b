#include "report/report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/text.h"
#include "report/columns.h"
#include "report/findings.h"
#include "report/sample_run_test.h"

namespace assay::report {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

std::string Text(const record::Run& run) { return Render({run}, Format::kText, {}); }

TEST(TextTest, ShowsEveryArmInTheOrderAskedFor) {
  const std::string text = Text(SampleRun());
  const std::size_t eager = text.find("\nEAGER ");
  const std::size_t frozen = text.find("\nEXPORT+AOT_INDUCTOR+FREEZING ");
  const std::size_t crashed = text.find("\nCOMPILE_OPENVINO ");
  EXPECT_LT(eager, frozen);
  EXPECT_LT(frozen, crashed);
  EXPECT_NE(crashed, std::string::npos);
}

TEST(TextTest, FitsAHundredColumnsButForCommands) {
  for (const std::string& line : Split(Text(SampleRun()), '\n')) {
    if (!line.starts_with("  assay ")) {
      EXPECT_LE(DisplayWidth(line), 100) << line;
    }
  }
}

TEST(TextTest, GivesTheMedianWithItsIntervalAndTheSpeedupWithIts) {
  EXPECT_THAT(Text(SampleRun()), AllOf(HasSubstr("16.82 ±0.5 %"), HasSubstr("1.83x [1.80, 1.86]"),
                                       HasSubstr("baseline"), HasSubstr("pass 3.1e-07")));
}

TEST(TextTest, SaysWhatTheTableMeans) {
  const std::string text = Text(SampleRun());
  EXPECT_THAT(text, HasSubstr("Recommended   EXPORT+AOT_INDUCTOR+FREEZING: the fastest whose"));
  EXPECT_THAT(text, HasSubstr("assay run resnet18 --conversions EXPORT+AOT_INDUCTOR+FREEZING "
                              "--threads 2 --keep DIR\n"));
  EXPECT_THAT(text, HasSubstr("COMPILE_OPENVINO (crashed in load): signal 9"));
  EXPECT_THAT(text, HasSubstr("Give it more"));
  EXPECT_THAT(text, HasSubstr("Weights       random."));
}

TEST(TextTest, ShowsPredictionsBesideTheMeasurementWhereThereAreAny) {
  record::Run run = SampleRun();
  EXPECT_THAT(Text(run), Not(HasSubstr("roofline")));
  run.arms[1].predicted = record::Predicted{.engine_kind = "compiled",
                                            .precision = "fp32",
                                            .confidence = "data sheet",
                                            .bound = "compute",
                                            .latency_ms = 6.136,
                                            .roofline_ms = 4.602,
                                            .ratio = 1.5,
                                            .roofline_share = 0.5};
  const std::string text = Text(run);
  EXPECT_THAT(text, HasSubstr("6.136, 1.50x"));
  EXPECT_THAT(text, HasSubstr("50 %"));
  EXPECT_THAT(text, HasSubstr("not calibrated"));
}

TEST(TextTest, LabelsThroughputsWhereAnArmIsForThem) {
  record::Run run = SampleRun();
  EXPECT_THAT(Text(run), Not(HasSubstr("per second")));
  record::Arm& many = run.arms[1];
  many.metric = many.speedup->metric = record::kThroughput;
  many.requests = 4;
  many.throughput_per_s = 123.4;
  many.throughput_ci95 = record::Interval{122, 124};
  run.recommendation->conversion = "EAGER";
  run.recommendation->throughput = {many.conversion, "2.00 x the throughput of EAGER"};
  const std::string text = Text(run);
  EXPECT_THAT(text, AllOf(HasSubstr("per second"), HasSubstr("123.4 ±0.8 %, 4 at a time"),
                          HasSubstr("throughput 1.83x [1.80, 1.86]"),
                          HasSubstr("Throughput    EXPORT+AOT_INDUCTOR+FREEZING: 2.00 x the")));
  EXPECT_THAT(Render({run}, Format::kMarkdown, {}), HasSubstr("throughput 1.83x"));
  EXPECT_THAT(Render({run}, Format::kCsv, {}), HasSubstr("EAGER,throughput"));
}

TEST(TextTest, TellsTheBestOfEachBatchSize) {
  record::Run run = SampleRun();
  run.arms[0].batch_size = 1;
  run.arms[1].batch_size = 8;
  run.arms[1].label = "FREEZING (batch 8)";
  run.arms[1].throughput_per_s = 80;
  run.recommendation->batches = {{.batch_size = 1,
                                  .conversion = "EAGER",
                                  .label = "EAGER (batch 1)",
                                  .why = "10 ms",
                                  .not_separated_from = {"OTHER (batch 1)"}},
                                 {.batch_size = 8,
                                  .conversion = "FREEZING",
                                  .label = "FREEZING (batch 8)",
                                  .why = "100 ms",
                                  .not_separated_from = {}}};
  EXPECT_THAT(Text(run), AllOf(HasSubstr("Batch 1       EAGER (batch 1): 10 ms. Not separated from "
                                         "it: OTHER (batch 1)."),
                               HasSubstr("Batch 8       FREEZING (batch 8): 100 ms."),
                               HasSubstr("per second"), HasSubstr("inputs per second are")));
}

TEST(TextTest, SaysWhereScalesComeFrom) {
  record::Run run = SampleRun();
  run.arms[1].calibration =
      record::Calibration{.source = "synthetic", .folder = "", .method = "minmax", .samples = 4};
  EXPECT_THAT(Text(run), HasSubstr("Calibration   EXPORT+AOT_INDUCTOR+FREEZING on 4 synthetic"));
  run.arms[1].calibration->source = "files";
  run.arms[1].calibration->folder = "typical";
  EXPECT_THAT(Text(run), HasSubstr("FREEZING on 4 samples of typical (minmax).\n"));
}

TEST(TextTest, SaysWhichInputsAreFromFilesAndWhatThatMeans) {
  record::Run run = SampleRun();
  EXPECT_THAT(Text(run), Not(HasSubstr("Inputs")));
  run.model.inputs[0].file = "photos.npy";
  EXPECT_THAT(Text(run), HasSubstr("Inputs        input from photos.npy.\n"));
  run.model.fixed_input = true;
  EXPECT_THAT(Text(run), HasSubstr("from photos.npy. Every inference has this same input"));
}

TEST(TextTest, HasColoursOnlyWhenAsked) {
  EXPECT_THAT(Render({SampleRun()}, Format::kText, {.color = false}), Not(HasSubstr("\033")));
  EXPECT_THAT(Render({SampleRun()}, Format::kText, {.color = true}), HasSubstr("\033[31mcrashed"));
}

TEST(TextTest, RecommendsNothingWhenNothingPassed) {
  record::Run run = SampleRun();
  run.recommendation.reset();
  EXPECT_THAT(Text(run), HasSubstr("Recommended   none"));
}

TEST(TextTest, PointsOutWhatWasObtainedOtherwiseThanAsked) {
  record::Run run = SampleRun();
  run.arms[0].threads.obtained = 1;
  run.arms[1].precision.obtained = "bf16";
  run.arms[1].stopped = "budget";
  const std::string text = Text(run);
  EXPECT_THAT(text, HasSubstr("1 of 2"));
  EXPECT_THAT(text, HasSubstr("computed in bf16 where fp32 was asked for"));
  EXPECT_THAT(text, HasSubstr("time budget"));
}

TEST(TextTest, PutsDistrustBeforeTheRecommendation) {
  record::Run run = SampleRun();
  run.trust = "mistrusted";
  run.trust_reasons = {"the A/A arm differs by 4 %"};
  const std::string text = Text(run);
  EXPECT_LT(text.find("Mistrusted    the A/A arm differs by 4 %."), text.find("Recommended"));
}

TEST(CsvTest, QuotesAsRfc4180AndKeepsTheNumberOfFields) {
  const std::string csv = Render({SampleRun()}, Format::kCsv, {});
  const std::vector<std::string> lines = Split(csv, '\n');
  ASSERT_EQ(lines.size(), 5u);  // heading, three arms, nothing after the last line's end
  for (std::size_t i = 0; i < 4; ++i) {
    EXPECT_EQ(lines[i].back(), '\r');
  }
  EXPECT_EQ(Split(lines[0], ',').size(), Split(lines[1], ',').size());
  EXPECT_THAT(lines[3], HasSubstr("\"signal 9 (SIGKILL), say \"\"why\"\"\""));
}

TEST(CsvTest, TakesEveryColumnFromAFieldOfTheRecord) {
  record::Run run = SampleRun();
  run.arms[1].predicted.emplace();
  const Json arm = record::ToJson(run)["arms"][1];
  for (const Column& column : Columns()) {
    if (*column.key != '\0') {
      EXPECT_TRUE(arm.contains(Json::json_pointer(column.pointer))) << column.pointer;
    }
  }
}

TEST(CsvTest, HasOneHeadingForSeveralRecords) {
  const std::string csv = Render({SampleRun(), SampleRun()}, Format::kCsv, {});
  EXPECT_EQ(Split(csv, '\n').size(), 8u);
}

TEST(JsonTest, IsTheRecordItself) {
  const auto json = ParseJson(Render({SampleRun()}, Format::kJson, {}), "output");
  ASSERT_TRUE(json.ok());
  EXPECT_EQ(*json, record::ToJson(SampleRun()));
}

TEST(MarkdownTest, HasATableAndTheFindings) {
  const std::string markdown = Render({SampleRun()}, Format::kMarkdown, {});
  EXPECT_THAT(markdown, HasSubstr("| EAGER | measured |"));
  EXPECT_THAT(markdown, HasSubstr("- **Recommended**: EXPORT+AOT_INDUCTOR+FREEZING"));
}

TEST(FormatOfPathTest, KnowsTheExtensionsAndRefusesOthers) {
  EXPECT_EQ(*FormatOfPath("a/b.JSON"), Format::kJson);
  EXPECT_EQ(*FormatOfPath("b.csv"), Format::kCsv);
  EXPECT_EQ(*FormatOfPath("b.md"), Format::kMarkdown);
  EXPECT_THAT(FormatOfPath("b.html").error().message, HasSubstr("not built yet"));
  EXPECT_THAT(FormatOfPath("b.xls").error().message, HasSubstr("'.xls'"));
}

}  // namespace
}  // namespace assay::report
