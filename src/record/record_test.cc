#include "record/record.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

namespace assay::record {
namespace {

using ::testing::HasSubstr;

Arm MeasuredArm() {
  Arm arm;
  arm.conversion = "ONNX_CPU";
  arm.engine = "onnxruntime";
  arm.engine_version = "1.32.0";
  arm.outcome = Outcome::kMeasured;
  arm.stopped = "precision";
  arm.threads = {2, 2};
  arm.precision = {"fp32", "fp32"};
  arm.device = {"cpu", "cpu"};
  arm.prepare_s = 1.5;
  arm.load_s = 0.25;
  arm.first_inference_ms = 30.5;
  arm.artifact_bytes = 123;
  arm.peak_rss_bytes = 5'000'000'000;
  arm.latency_ms = Latency{8.7, Interval{8.6, 8.8}, 8.75, 0.1, 8.5, 9.0, {}, {}, 3};
  arm.samples_ms = {8.5, 8.7, 9.0};
  arm.timed = 3;
  arm.steady = true;
  arm.process_spread = 0.01;
  arm.throughput_per_s = 115.0;
  arm.speedup = Speedup{"EAGER", 1.8, Interval{1.75, 1.86}, true, 30};
  arm.output = Output{"pass", "aten-fp64", 3e-7, 1e-6, 1.0, 1.0, 1e-5, 3e-7};
  arm.predicted = Predicted{"compiled", "fp32", "data sheet", "compute", 7.25, 5.8, 1.2, 0.667};
  arm.notes = {"all nodes on the CPU"};
  arm.repeat = "assay run resnet18 --conversions ONNX_CPU";
  return arm;
}

Arm CrashedArm() {
  Arm arm;
  arm.conversion = "EAGER";
  arm.engine = "torch";
  arm.outcome = Outcome::kCrashed;
  arm.reason = "signal 11 (SIGSEGV)";
  arm.stage = "load";
  return arm;
}

Run Sample() {
  Run run;
  run.assay_version = "0.1.0";
  run.started = "2026-01-02T03:04:05Z";
  run.command = {"assay", "run", "resnet18"};
  run.machine = {"A CPU", 2, 4, "0-3", {"avx2"}, 8'000'000'000, "Linux", {"busy"}};
  run.model = {"resnet18", "zoo", 11'689'512, 1'814'073'344, 1, {}, "random", "ab12"};
  run.model.inputs = {{"input", {tensor::DType::kFloat32, {1, 3, 224, 224}}, "x.npy"}};
  run.model.fixed_input = true;
  run.baseline = "ONNX_CPU";
  run.clock_floor_ns = 24;
  run.arms = {MeasuredArm(), CrashedArm()};
  run.recommendation = Recommendation{"ONNX_CPU", "fastest", {}, ""};
  return run;
}

TEST(RecordTest, ReadsBackWhatItWrote) {
  const Json written = ToJson(Sample());
  const auto parsed = ParseJson(written.dump(), "r.json");
  ASSERT_TRUE(parsed.ok());
  const auto read = RunFromJson(*parsed, "r.json");
  ASSERT_TRUE(read.ok()) << read.error().message;
  EXPECT_EQ(ToJson(*read).dump(2), written.dump(2));
  EXPECT_EQ(read->arms[0].peak_rss_bytes, 5'000'000'000u);
  EXPECT_EQ(read->arms[0].predicted->ratio, 1.2);
  EXPECT_EQ(read->arms[1].outcome, Outcome::kCrashed);
  EXPECT_EQ(read->model.inputs[0].type.shape, (tensor::Shape{1, 3, 224, 224}));
  EXPECT_EQ(read->model.inputs[0].file, "x.npy");
  EXPECT_TRUE(read->model.fixed_input);
}

TEST(RecordTest, WritesEveryFieldOfTheContractForEveryArm) {
  const Json json = ToJson(Sample());
  for (const char* field : {"schema", "assay_version", "started", "command", "trust", "machine",
                            "model", "baseline", "arms", "recommendation"}) {
    EXPECT_TRUE(json.contains(field)) << field;
  }
  EXPECT_EQ(json["schema"], "assay.run/1");
  EXPECT_EQ(json["trust"]["verdict"], "ok");
  for (const Json& arm : json["arms"]) {
    for (
        const char* field :
        {"conversion", "engine",           "engine_version", "outcome",    "reason",
         "stage",      "stopped",          "threads",        "precision",  "device",
         "prepare_s",  "load_s",           "samples_ms",     "timed",      "first_inference_ms",
         "steady",     "artifact_bytes",   "peak_rss_bytes", "latency_ms", "prepare_peak_rss_bytes",
         "metric",     "throughput_per_s", "process_spread", "speedup",    "output",
         "repeat"}) {
      EXPECT_TRUE(arm.contains(field)) << field;
    }
  }
}

TEST(RecordTest, WritesNullNeverZeroForWhatDoesNotApply) {
  const Json arm = ToJson(Sample())["arms"][1];
  for (const char* field : {"engine_version", "stopped", "prepare_s", "load_s", "latency_ms",
                            "samples_ms", "timed", "steady", "speedup", "output", "artifact"}) {
    EXPECT_TRUE(arm[field].is_null()) << field << " is " << arm[field];
  }
  EXPECT_TRUE(arm["threads"]["obtained"].is_null());
  EXPECT_TRUE(ToJson(Sample())["arms"][0]["latency_ms"]["p99"].is_null());
  EXPECT_TRUE(ToJson(Sample())["recommendation"]["artifact"].is_null());
}

TEST(RecordTest, WritesNullForErrorsThatAreNoNumbers) {
  auto run = Sample();
  run.arms[0].output->relative_l2 = std::numeric_limits<double>::quiet_NaN();
  const Json json = ToJson(run);
  EXPECT_TRUE(json["arms"][0]["output"]["relative_l2"].is_null());
  EXPECT_TRUE(RunFromJson(json, "r.json").ok());
}

std::string ErrorOf(const Json& json) {
  const auto run = RunFromJson(json, "r.json");
  EXPECT_FALSE(run.ok());
  const std::string message = run.ok() ? "" : run.error().message;
  EXPECT_EQ(message.find('\n'), std::string::npos);
  return message;
}

TEST(RecordTest, NamesAnotherSchema) {
  Json json = ToJson(Sample());
  json["schema"] = "assay.run/7";
  EXPECT_EQ(ErrorOf(json), "r.json has the schema 'assay.run/7', this assay reads 'assay.run/1'");
  EXPECT_THAT(ErrorOf(Json::array()), HasSubstr("no schema"));
  EXPECT_THAT(ErrorOf(Json::object()), HasSubstr("no schema"));
}

TEST(RecordTest, NamesTheFieldThatIsMissing) {
  Json json = ToJson(Sample());
  json["arms"][0]["latency_ms"].erase("median");
  EXPECT_EQ(ErrorOf(json), "r.json: field 'arms[0].latency_ms.median' is missing");
}

TEST(RecordTest, NamesTheFieldOfAWrongType) {
  Json json = ToJson(Sample());
  json["arms"][0]["latency_ms"]["median"] = "fast";
  EXPECT_EQ(ErrorOf(json), "r.json: arms[0].latency_ms.median: expected a number, found \"fast\"");
  json = ToJson(Sample());
  json["arms"][1]["outcome"] = "splendid";
  EXPECT_THAT(ErrorOf(json), HasSubstr("arms[1].outcome: expected an outcome"));
  json = ToJson(Sample());
  json["model"]["parameters"] = -3;
  EXPECT_THAT(ErrorOf(json), HasSubstr("model.parameters: expected a whole number of 0 or more"));
  json = ToJson(Sample());
  json["machine"]["physical_cores"] = 99'999'999'999;
  EXPECT_THAT(ErrorOf(json), HasSubstr("machine.physical_cores: expected a whole number"));
  json = ToJson(Sample());
  json["arms"][0]["latency_ms"]["ci95"] = {1};
  EXPECT_THAT(ErrorOf(json), HasSubstr("latency_ms.ci95: expected two numbers"));
  json = ToJson(Sample());
  json["arms"] = Json::object();
  EXPECT_THAT(ErrorOf(json), HasSubstr("arms: expected a list"));
}

TEST(RecordTest, ReadsDocumentsWithoutTheFieldsThatTheContractLacks) {
  Json json = ToJson(Sample());
  json.erase("clock_floor_ns");
  json["arms"][0].erase("notes");
  json["arms"][0].erase("artifact");
  json["something_newer"] = 1;
  EXPECT_TRUE(RunFromJson(json, "r.json").ok());
}

TEST(RecordTest, SpellsOutcomesAsTheContractDoes) {
  EXPECT_EQ(Name(Outcome::kOutOfMemory), "out_of_memory");
  EXPECT_EQ(ParseOutcome("wrong_output"), Outcome::kWrongOutput);
  EXPECT_EQ(ParseOutcome("Measured"), std::nullopt);
}

}  // namespace
}  // namespace assay::record
