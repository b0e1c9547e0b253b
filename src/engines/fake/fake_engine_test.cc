#include "engines/fake/fake_engine.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <string>

#include "engine/sample.h"

namespace assay::engine::fake {
namespace {

tensor::Tensor Input(int set) {
  tensor::Tensor input;
  input.name = "x." + std::to_string(set);
  input.type = {tensor::DType::kFloat32, {1, 3}};
  const float values[] = {1.0f * static_cast<float>(set), 0.5f, -2.0f};
  input.data.resize(sizeof values);
  std::memcpy(input.data.data(), values, sizeof values);
  return input;
}

class FakeEngineTest : public ::testing::Test {
 protected:
  FakeEngineTest() {
    const auto path = std::filesystem::path(::testing::TempDir()) / "fake_engine_test.safetensors";
    EXPECT_TRUE(tensor::WriteSafetensors(path, {Input(0), Input(1)}).ok());
    auto inputs = tensor::SafetensorsFile::Open(path);
    EXPECT_TRUE(inputs.ok());
    inputs_.emplace(*std::move(inputs));
  }

  Result<Loaded> Load(FakeEngine& engine, const char* script, const char* precision = "fp32",
                      const char* streams = "latency") {
    Job job;
    job.conversion = "ARM";
    job.recipe = {{"precision", precision}, {"streams", streams}};
    job.input_sets = 2;
    job.threads = 3;
    job.options = {{"default", Json::parse(script)}};
    return engine.Load(job, *inputs_);
  }

  /// The outputs of one set, as doubles.
  std::vector<double> Output(FakeEngine& engine, int set) {
    EXPECT_TRUE(engine.Infer(set).ok());
    const auto outputs = engine.Outputs();
    EXPECT_TRUE(outputs.ok());
    const tensor::Tensor& output = outputs->at(0);
    EXPECT_EQ(output.name, "output");
    EXPECT_EQ(output.type.shape, (tensor::Shape{1, 10}));
    std::vector<double> values(10);
    if (output.type.dtype == tensor::DType::kFloat64) {
      std::memcpy(values.data(), output.data.data(), sizeof(double) * 10);
    } else {
      std::vector<float> floats(10);
      std::memcpy(floats.data(), output.data.data(), sizeof(float) * 10);
      values.assign(floats.begin(), floats.end());
    }
    return values;
  }

  std::vector<double> OutputOf(const char* script, int set, const char* precision = "fp32") {
    FakeEngine engine(-1);
    EXPECT_TRUE(Load(engine, script, precision).ok());
    return Output(engine, set);
  }

  std::optional<tensor::SafetensorsFile> inputs_;
};

double RelativeError(const std::vector<double>& a, const std::vector<double>& golden) {
  double difference = 0, norm = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    difference += (a[i] - golden[i]) * (a[i] - golden[i]);
    norm += golden[i] * golden[i];
  }
  return std::sqrt(difference / norm);
}

TEST_F(FakeEngineTest, AnswersTheSameInEveryProcessAndAnotherForEachSet) {
  EXPECT_EQ(OutputOf("{}", 0), OutputOf("{}", 0));
  EXPECT_GT(RelativeError(OutputOf("{}", 1), OutputOf("{}", 0)), 0.1);
}

TEST_F(FakeEngineTest, ServesAsItsOwnGoldenInFp64) {
  const auto golden = OutputOf("{}", 1, "fp64");
  const double noise = RelativeError(OutputOf("{}", 1), golden);
  EXPECT_GT(noise, 0);
  EXPECT_LT(noise, 1e-6);
}

TEST_F(FakeEngineTest, GetsOutputsWrongOnDemand) {
  const auto golden = OutputOf("{}", 1, "fp64");
  EXPECT_GT(RelativeError(OutputOf(R"({"output": "wrong"})", 1), golden), 0.1);
  const double reduced = RelativeError(OutputOf(R"({"output_error": 0.01})", 1), golden);
  EXPECT_GT(reduced, 1e-3);
  EXPECT_LT(reduced, 1e-2);
  EXPECT_TRUE(std::isnan(OutputOf(R"({"output": "nan"})", 1)[3]));
  EXPECT_EQ(OutputOf(R"({"output": "constant"})", 1), OutputOf("{}", 0));
}

TEST_F(FakeEngineTest, ClaimsWhatItIsToldToClaim) {
  FakeEngine engine(-1);
  auto loaded = Load(engine, "{}");
  ASSERT_TRUE(loaded.ok());
  EXPECT_EQ(loaded->threads, 3);
  EXPECT_EQ(loaded->precision, "fp32");
  loaded = Load(engine, R"({"threads": 7, "precision": "bf16", "device": "gpu", "notes": ["n"]})");
  EXPECT_EQ(loaded->threads, 7);
  EXPECT_EQ(loaded->precision, "bf16");
  EXPECT_EQ(loaded->device, "gpu");
  EXPECT_EQ(loaded->notes, std::vector<std::string>{"n"});
}

TEST_F(FakeEngineTest, RunsAsManyAtATimeAsItsScriptSaysForThroughput) {
  FakeEngine engine(-1);
  ASSERT_TRUE(Load(engine, R"({"places": 3})").ok());
  EXPECT_EQ(engine.Places(), 1) << "not asked for throughput";
  const auto loaded = Load(engine, R"({"places": 3, "latency_ns": 2000000})", "fp32", "throughput");
  ASSERT_TRUE(loaded.ok());
  EXPECT_EQ(loaded->places, 3);
  const MonotonicClock clock;
  const std::int64_t begin = clock();
  for (int i = 0; i < 6; ++i) {
    ASSERT_TRUE(engine.Infer(0).ok());
    EXPECT_EQ(engine.InFlight(), std::min(i + 1, 3));
  }
  ASSERT_TRUE(engine.Settle(0).ok());
  EXPECT_GE(clock() - begin, 4'000'000) << "two after each other in each place";
  EXPECT_EQ(engine.InFlight(), 0);
  EXPECT_EQ(engine.TakeLatencies(), std::vector<double>(6, 2e6));
}

TEST_F(FakeEngineTest, MisbehavesFromTheCallOnThatTheScriptNames) {
  FakeEngine engine(-1);
  ASSERT_TRUE(
      Load(engine, R"({"misbehave": [{"how": "fail", "after": 2, "reason": "why"}]})").ok());
  EXPECT_TRUE(engine.Infer(0).ok());
  EXPECT_TRUE(engine.Infer(1).ok());
  EXPECT_EQ(engine.Infer(0).error().message, "why");
  EXPECT_FALSE(engine.Infer(1).ok());
}

TEST_F(FakeEngineTest, FailsAtLoadAsScripted) {
  FakeEngine engine(-1);
  const auto unsupported =
      Load(engine, R"({"misbehave": [{"stage": "load", "how": "unsupported", "reason": "old"}]})");
  EXPECT_EQ(unsupported.error().code, Code::kUnsupported);
  EXPECT_EQ(unsupported.error().message, "old");
}

TEST_F(FakeEngineTest, EatsNoMoreThanItsScriptAllows) {
  FakeEngine engine(-1);
  ASSERT_TRUE(Load(engine, R"({"misbehave": [{"how": "eat_memory", "bytes": 100000}]})").ok());
  EXPECT_THROW((void)engine.Infer(0), std::bad_alloc);
}

/// An inference takes at least its scripted time, whatever the machine does besides.
TEST_F(FakeEngineTest, SpinsForItsLatencyTimesTheProcessesFactor) {
  FakeEngine engine(-1);
  const MonotonicClock clock;
  const auto fastest = [&](const char* script) {
    EXPECT_TRUE(Load(engine, script).ok());
    std::int64_t least = INT64_MAX;
    for (int i = 0; i < 5; ++i) {
      const std::int64_t begin = clock();
      EXPECT_TRUE(engine.Infer(0).ok());
      least = std::min(least, clock() - begin);
    }
    return least;
  };
  EXPECT_GE(fastest(R"({"latency_ns": 100000})"), 100'000);
  EXPECT_GE(fastest(R"({"latency_ns": 100000, "factors": [1, 3], "process": 5})"), 300'000);
  EXPECT_GE(fastest(R"({"latency_ns": 100000, "warmup_inferences": 9, "warmup_factor": 4})"),
            400'000);
}

}  // namespace
}  // namespace assay::engine::fake
