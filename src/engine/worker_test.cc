#include "engine/worker.h"

#include <gmock/gmock.h>

#include <cstring>
#include <filesystem>
#include <stdexcept>
#include <utility>

namespace assay::engine {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;

tensor::Tensor Number(std::string name, float value) {
  tensor::Tensor made;
  made.name = std::move(name);
  made.type = {tensor::DType::kFloat32, {1}};
  made.data.resize(sizeof value);
  std::memcpy(made.data.data(), &value, sizeof value);
  return made;
}

/// Remembers what it was asked and answers with the number of the set.
class Recorder : public Engine {
 public:
  Description Describe() override { return {kProtocolVersion, "recorder", "1", true, "", ""}; }
  Result<Loaded> Load(const Job& job, const tensor::SafetensorsFile&) override {
    if (load_error_) {
      return *load_error_;
    }
    return Loaded{.threads = job.threads, .precision = "fp32", .device = "cpu", .notes = {}};
  }
  Status Infer(int set) override {
    sets_.push_back(set);
    if (sets_.size() == throw_at_) {
      throw std::runtime_error("kernel failed");
    }
    return {};
  }
  Result<std::vector<tensor::Tensor>> Outputs() override {
    return std::vector{Number("y", static_cast<float>(sets_.back()))};
  }

  std::optional<Error> load_error_;
  std::size_t throw_at_ = 0;
  std::vector<int> sets_;
};

/// Two places; an inference ends when its place is wanted, or in Settle.
class Crowd : public Recorder {
 public:
  int Places() const override { return 2; }
  int InFlight() const override { return in_flight_; }
  Status Infer(int set) override {
    ASSAY_TRY(Settle(1));
    ++in_flight_;
    return Recorder::Infer(set);
  }
  Status Settle(int most) override {
    for (; in_flight_ > most; --in_flight_) {
      ended_.push_back(++all_ended_);
    }
    settled_.push_back(most);
    return {};
  }
  std::vector<double> TakeLatencies() override { return std::exchange(ended_, {}); }

  int in_flight_ = 0;
  double all_ended_ = 0;
  std::vector<double> ended_;  // numbers as latencies
  std::vector<int> settled_;
};

class WorkerTest : public ::testing::Test {
 protected:
  WorkerTest() {
    EXPECT_TRUE(tensor::WriteSafetensors(inputs_, {Number("x.0", 1)}).ok());
    job_.inputs = inputs_;
    job_.input_sets = 3;
    job_.threads = 2;
    job_.recipe = Json::object();
  }
  Json Load() { return worker_.Answer(MakeRequest("load", ToJson(job_))); }
  Json Infer(int discard, int count, int batch) {
    return worker_.Answer(
        MakeRequest("infer", {{"discard", discard}, {"count", count}, {"batch", batch}}));
  }

  std::filesystem::path inputs_ =
      std::filesystem::path(::testing::TempDir()) / "worker_test.safetensors";
  Job job_;
  Recorder engine_;
  Worker worker_{engine_};
};

TEST_F(WorkerTest, DescribesTheEngine) {
  const auto got = DescriptionFromJson(worker_.Answer(MakeRequest("describe")));
  ASSERT_TRUE(got.ok());
  EXPECT_EQ(got->engine, "recorder");
  EXPECT_EQ(got->protocol, kProtocolVersion);
  EXPECT_EQ(got->code.size(), 64u);
}

TEST_F(WorkerTest, KeepsThePlacesOfAnEngineTakenThroughASliceAndEmptiesThemAfterIt) {
  Crowd crowd;
  Worker worker(crowd);
  ASSERT_TRUE(worker.Answer(MakeRequest("load", ToJson(job_)))["ok"].get<bool>());
  const Json request = MakeRequest("infer", {{"discard", 4}, {"count", 3}, {"batch", 2}});
  const auto slice = SliceFromJson(worker.Answer(request));
  ASSERT_TRUE(slice.ok()) << slice.error().message;
  EXPECT_THAT(slice->samples_ns, SizeIs(3));
  // The 4 discarded leave 2 in flight: the first 2 to end are not told, nor the 2 left at the end.
  EXPECT_THAT(slice->latencies_ns, ElementsAre(3, 4, 5, 6, 7, 8));
  EXPECT_EQ(crowd.settled_.back(), 0);
  EXPECT_EQ(crowd.in_flight_, 0);
}

TEST_F(WorkerTest, TimesTheFirstInferenceOfSeveralPlacesToItsEnd) {
  Crowd crowd;
  Worker worker(crowd);
  ASSERT_TRUE(worker.Answer(MakeRequest("load", ToJson(job_)))["ok"].get<bool>());
  const Json request = MakeRequest("infer", {{"discard", 0}, {"count", 1}, {"batch", 1}});
  const auto slice = SliceFromJson(worker.Answer(request));
  ASSERT_TRUE(slice.ok());
  EXPECT_THAT(slice->latencies_ns, ElementsAre(1));
}

TEST_F(WorkerTest, TellsWhatWasObtained) {
  const auto loaded = LoadedFromJson(Load());
  ASSERT_TRUE(loaded.ok());
  EXPECT_EQ(loaded->threads, 2);
  EXPECT_GT(loaded->seconds, 0);
}

TEST_F(WorkerTest, GivesAsManySamplesAsAskedAndRotatesThroughout) {
  Load();
  const auto slice = SliceFromJson(Infer(2, 3, 2));
  ASSERT_TRUE(slice.ok());
  EXPECT_THAT(slice->samples_ns, SizeIs(3));
  EXPECT_THAT(engine_.sets_, ElementsAre(0, 1, 2, 0, 1, 2, 0, 1));
  EXPECT_GE(slice->charges.threads_active, 1);
  EXPECT_GT(slice->clock_floor_ns, 0);
}

TEST_F(WorkerTest, RefusesASliceThatCannotBe) {
  Load();
  EXPECT_FALSE(Infer(-1, 1, 1).at("ok"));
  EXPECT_FALSE(Infer(0, 1, 0).at("ok"));
  EXPECT_FALSE(Infer(0, kMaxSamples + 1, 1).at("ok"));
  EXPECT_FALSE(worker_.Answer(MakeRequest("infer", {{"discard", 1}})).at("ok"));
  EXPECT_THAT(engine_.sets_, SizeIs(0));
}

TEST_F(WorkerTest, RefusesToInferBeforeAnythingIsLoaded) {
  EXPECT_THAT(CheckReply(Infer(0, 1, 1)).error().message, HasSubstr("before 'load'"));
  EXPECT_FALSE(worker_.Answer(MakeRequest("outputs", {{"path", "/nowhere"}})).at("ok"));
}

TEST_F(WorkerTest, RefusesToInferAfterALoadThatFailed) {
  Load();
  engine_.load_error_ = Error{Code::kUnsupported, "no such operator", ""};
  EXPECT_EQ(CheckReply(Load()).error().code, Code::kUnsupported);
  EXPECT_FALSE(Infer(0, 1, 1).at("ok"));
}

TEST_F(WorkerTest, TurnsAnExceptionIntoAReplyAndGoesOn) {
  Load();
  engine_.throw_at_ = 2;
  const Status failed = CheckReply(Infer(0, 5, 1));
  EXPECT_EQ(failed.error().message, "kernel failed");
  EXPECT_TRUE(Infer(0, 1, 1).at("ok"));
}

TEST_F(WorkerTest, WritesTheOutputsOfEverySet) {
  Load();
  const std::filesystem::path path =
      std::filesystem::path(::testing::TempDir()) / "worker_test_outputs.safetensors";
  const Json reply = worker_.Answer(MakeRequest("outputs", {{"path", path.string()}}));
  ASSERT_TRUE(reply.at("ok")) << reply;
  const auto file = tensor::SafetensorsFile::Open(path);
  ASSERT_TRUE(file.ok());
  for (int set = 0; set < 3; ++set) {
    const tensor::Entry* entry = file->Find("y." + std::to_string(set));
    ASSERT_NE(entry, nullptr);
    float value;
    std::memcpy(&value, file->Bytes(*entry).data(), sizeof value);
    EXPECT_EQ(value, static_cast<float>(set));
  }
}

TEST_F(WorkerTest, RefusesInputsThatCannotBeRead) {
  job_.inputs = "/nonexistent/inputs.safetensors";
  EXPECT_THAT(CheckReply(Load()).error().message, HasSubstr("/nonexistent"));
  job_.inputs = inputs_;
  job_.input_sets = 0;
  EXPECT_FALSE(Load().at("ok"));
}

TEST_F(WorkerTest, AnswersEveryRequestThatIsNone) {
  EXPECT_THAT(CheckReply(worker_.Answer(MakeRequest("dance"))).error().message,
              HasSubstr("'dance'"));
  EXPECT_FALSE(worker_.Answer(Json::object()).at("ok"));
  EXPECT_FALSE(worker_.Answer({{"verb", 7}}).at("ok"));
  EXPECT_FALSE(worker_.Answer({{"verb", "load"}, {"threads", "many"}}).at("ok"));
}

TEST_F(WorkerTest, HasNothingToPrepareUnlessTheEngineSaysSo) {
  const Status status = CheckReply(worker_.Answer(MakeRequest("prepare", ToJson(job_))));
  EXPECT_EQ(status.error().code, Code::kUnsupported);
}

TEST_F(WorkerTest, EndsWhenAskedTo) {
  EXPECT_FALSE(worker_.closed());
  EXPECT_TRUE(worker_.Answer(MakeRequest("close")).at("ok"));
  EXPECT_TRUE(worker_.closed());
}

}  // namespace
}  // namespace assay::engine
