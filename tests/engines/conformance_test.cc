// What every engine owes to a campaign, whatever its runtime does.
#include <gmock/gmock.h>
#include <sys/wait.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <thread>

#include "engine/protocol.h"
#include "engine_cases.h"
#include "engine_process.h"
#include "tensor/safetensors.h"

namespace assay::engine {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

class ConformanceTest : public ::testing::TestWithParam<EngineCase> {
 protected:
  ConformanceTest() : artifact_(MakeFolder()), engine_(GetParam().engine) {}
  ~ConformanceTest() override { std::filesystem::remove_all(artifact_); }

  static std::filesystem::path MakeFolder() {
    std::string folder = std::filesystem::path(::testing::TempDir()) / "conformance-XXXXXX";
    EXPECT_NE(::mkdtemp(folder.data()), nullptr);
    return folder;
  }

  Job MakeJob(const char* inputs = "inputs", int threads = 1) const {
    Job job;
    job.conversion = GetParam().label;
    job.recipe = GetParam().recipe;
    job.onnx = Fixture() / "model.onnx";
    job.program = Fixture() / "program.json";
    job.inputs = Fixture() / (std::string(inputs) + ".safetensors");
    job.artifact = GetParam().preparer.empty() ? "" : artifact_.string();
    job.threads = threads;
    return job;
  }

  /// Makes the artifact, in a process of its own as campaigns do.
  void PrepareAnew(const Job& job) const {
    if (job.artifact.empty()) {
      return;
    }
    EngineProcess preparer(GetParam().preparer);
    const auto reply = preparer.Expect(MakeRequest("prepare", ToJson(job)));
    ASSERT_TRUE(reply.ok()) << reply.error().message;
    const auto prepared = PreparedFromJson(*reply);
    ASSERT_TRUE(prepared.ok());
    EXPECT_GT(prepared->seconds, 0);
    EXPECT_FALSE(std::filesystem::is_empty(artifact_));
  }

  /// Puts an artifact where the job wants it: a copy of one that was made for these threads, since
  /// compiling takes long.
  void Prepare(const Job& job) const {
    static std::map<std::string, std::filesystem::path> made;
    const std::string key = GetParam().label + std::to_string(job.threads);
    const auto options = std::filesystem::copy_options::recursive |
                         std::filesystem::copy_options::overwrite_existing;
    if (made.contains(key)) {
      std::filesystem::copy(made[key], artifact_, options);
    } else if (PrepareAnew(job); !HasFatalFailure() && !job.artifact.empty()) {
      made[key] = MakeFolder();
      std::filesystem::copy(artifact_, made[key], options);
    }
  }

  std::optional<Loaded> Load(EngineProcess& engine, const Job& job) const {
    const auto reply = engine.Expect(MakeRequest("load", ToJson(job)));
    EXPECT_TRUE(reply.ok()) << reply.error().message;
    if (!reply.ok()) {
      return std::nullopt;
    }
    const auto loaded = LoadedFromJson(*reply);
    EXPECT_TRUE(loaded.ok()) << loaded.error().message;
    return *loaded;
  }

  std::optional<Slice> Infer(EngineProcess& engine, int discard, int count) const {
    const auto reply =
        engine.Expect(MakeRequest("infer", {{"discard", discard}, {"count", count}, {"batch", 1}}));
    EXPECT_TRUE(reply.ok()) << reply.error().message;
    if (!reply.ok()) {
      return std::nullopt;
    }
    const auto slice = SliceFromJson(*reply);
    EXPECT_TRUE(slice.ok()) << slice.error().message;
    return *slice;
  }

  std::optional<tensor::SafetensorsFile> Outputs(EngineProcess& engine) const {
    const auto path = artifact_ / "outputs.safetensors";
    const auto reply = engine.Expect(MakeRequest("outputs", {{"path", path.string()}}));
    EXPECT_TRUE(reply.ok()) << reply.error().message;
    auto file = tensor::SafetensorsFile::Open(path);
    EXPECT_TRUE(file.ok()) << file.error().message;
    return file.ok() ? std::optional(*std::move(file)) : std::nullopt;
  }

  void ExpectGoodEnd(EngineProcess& engine) const {
    EXPECT_TRUE(engine.Expect(MakeRequest("close")).ok());
    EXPECT_THAT(engine.Rest(), IsEmpty());
    EXPECT_EQ(engine.Wait(), 0);
  }

  std::filesystem::path artifact_;
  EngineProcess engine_;
};

template <typename T>
std::vector<double> Values(const tensor::SafetensorsFile& file, const std::string& name) {
  const tensor::Entry* entry = file.Find(name);
  EXPECT_NE(entry, nullptr) << "no output " << name;
  std::vector<T> values(entry == nullptr ? 0 : entry->bytes / sizeof(T));
  if (entry != nullptr) {
    std::memcpy(values.data(), file.Bytes(*entry).data(), entry->bytes);
  }
  return {values.begin(), values.end()};
}

TEST_P(ConformanceTest, DescribesItselfWithoutAModel) {
  const auto reply = engine_.Expect(MakeRequest("describe"));
  ASSERT_TRUE(reply.ok()) << reply.error().message;
  const auto description = DescriptionFromJson(*reply);
  ASSERT_TRUE(description.ok()) << description.error().message;
  EXPECT_EQ(description->protocol, kProtocolVersion);
  EXPECT_EQ(description->engine, GetParam().engine);
  EXPECT_TRUE(description->available) << description->reason;
  EXPECT_FALSE(description->version.empty());
  EXPECT_EQ(description->code.size(), 64u);
  ExpectGoodEnd(engine_);
}

TEST_P(ConformanceTest, SurvivesManyCyclesInFreshProcesses) {
  const Job job = MakeJob();
  for (int cycle = 0; cycle < GetParam().cycles; ++cycle) {
    PrepareAnew(job);
    EngineProcess engine(GetParam().engine);
    ASSERT_TRUE(Load(engine, job)) << "cycle " << cycle;
    ASSERT_TRUE(Infer(engine, 0, 1)) << "cycle " << cycle;
    ExpectGoodEnd(engine);
  }
}

TEST_P(ConformanceTest, LoadsAgainInTheSameProcess) {
  const Job job = MakeJob();
  Prepare(job);
  for (int cycle = 0; cycle < 5; ++cycle) {
    ASSERT_TRUE(Load(engine_, job));
    ASSERT_TRUE(Infer(engine_, 1, 4));
  }
  ExpectGoodEnd(engine_);
}

TEST_P(ConformanceTest, GivesTheOutputsOfTheReference) {
  if (!GetParam().runs_model) {
    GTEST_SKIP() << "this engine runs no model";
  }
  const Job job = MakeJob();
  Prepare(job);
  ASSERT_TRUE(Load(engine_, job));
  const auto outputs = Outputs(engine_);
  ASSERT_TRUE(outputs);
  const auto expected = tensor::SafetensorsFile::Open(Fixture() / "expected.safetensors");
  ASSERT_TRUE(expected.ok());
  EXPECT_EQ(outputs->entries().size(), 4u);
  for (int set = 0; set < job.input_sets; ++set) {
    const std::string name = "y." + std::to_string(set);
    const auto got = Values<float>(*outputs, name), want = Values<double>(*expected, name);
    ASSERT_EQ(got.size(), want.size());
    EXPECT_EQ(outputs->Find(name)->type.shape, (tensor::Shape{1, 10}));
    double error = 0, norm = 0;
    for (std::size_t i = 0; i < got.size(); ++i) {
      error += std::pow(got[i] - want[i], 2);
      norm += std::pow(want[i], 2);
    }
    EXPECT_LT(std::sqrt(error / norm), 1e-5) << name;
  }
}

TEST_P(ConformanceTest, SaysWhatItObtainedAndObtainsWhatWasAsked) {
  const Job job = MakeJob();
  Prepare(job);
  const auto loaded = Load(engine_, job);
  ASSERT_TRUE(loaded);
  EXPECT_EQ(loaded->precision, "fp32");
  EXPECT_EQ(loaded->device, "cpu");
  EXPECT_GT(loaded->seconds, 0);
}

TEST_P(ConformanceTest, UsesAsManyThreadsAsAsked) {
  for (const int threads : {1, 2}) {
    if (static_cast<int>(std::thread::hardware_concurrency()) < threads) {
      GTEST_SKIP() << "this machine has one processor";
    }
    const Job job = MakeJob("inputs", threads);
    Prepare(job);
    EngineProcess engine(GetParam().engine);
    const auto loaded = Load(engine, job);
    ASSERT_TRUE(loaded);
    EXPECT_EQ(loaded->threads, threads);
    // On a busy machine a pool's worker may sleep through a whole slice, and another take its turn.
    const int expected = GetParam().runs_model ? threads : 1, allowed = expected + GetParam().helpers;
    int most = 0, least = allowed + 1;
    for (int i = 0; i < 20 && (most < expected || least > allowed); ++i) {
      const auto slice = Infer(engine, 10, 200);
      ASSERT_TRUE(slice);
      most = std::max(most, slice->charges.threads_active);
      least = std::min(least, slice->charges.threads_active);
    }
    EXPECT_GE(most, expected);
    EXPECT_LE(least, allowed);
  }
}

TEST_P(ConformanceTest, GivesEverySampleOfASlice) {
  const Job job = MakeJob();
  Prepare(job);
  ASSERT_TRUE(Load(engine_, job));
  const auto slice = Infer(engine_, 3, 100);
  ASSERT_TRUE(slice);
  EXPECT_EQ(slice->samples_ns.size(), 100u);
  EXPECT_GT(slice->charges.cpu_ns, 0);
  EXPECT_GT(slice->clock_floor_ns, 0);
}

TEST_P(ConformanceTest, RefusesInputsThatDoNotFitAndGoesOn) {
  Prepare(MakeJob());
  const std::vector<const char*> files =
      GetParam().runs_model
          ? std::vector{"missing", "wrong_shape", "wrong_type", "no_set_3", "not_there"}
          : std::vector{"no_set_3", "not_there"};
  for (const char* file : files) {
    const auto reply = engine_.Ask(MakeRequest("load", ToJson(MakeJob(file))));
    ASSERT_TRUE(reply.ok()) << file << ": " << reply.error().message;
    const Status status = CheckReply(*reply);
    ASSERT_FALSE(status.ok()) << file;
    EXPECT_FALSE(status.error().message.empty());
    EXPECT_THAT(status.error().message, ::testing::Not(HasSubstr("\n")));
  }
  ASSERT_TRUE(Load(engine_, MakeJob()));
  EXPECT_TRUE(Infer(engine_, 0, 4));
  ExpectGoodEnd(engine_);
}

TEST_P(ConformanceTest, RefusesAModelThatIsNotThere) {
  if (!GetParam().runs_model) {
    GTEST_SKIP() << "this engine runs no model";
  }
  Job job = MakeJob();
  job.onnx = "/nonexistent/model.onnx";
  job.program = "/nonexistent/program.json";
  const auto reply = engine_.Ask(MakeRequest("load", ToJson(job)));
  ASSERT_TRUE(reply.ok()) << reply.error().message;
  EXPECT_FALSE(CheckReply(*reply).ok());
}

TEST_P(ConformanceTest, CarriesNotANumberThroughAndNoFurther) {
  if (!GetParam().runs_model) {
    GTEST_SKIP() << "this engine runs no model";
  }
  const Job job = MakeJob("nan");
  Prepare(job);
  ASSERT_TRUE(Load(engine_, job));
  const auto outputs = Outputs(engine_);
  ASSERT_TRUE(outputs);
  for (const double value : Values<float>(*outputs, "y.0")) {
    EXPECT_TRUE(std::isfinite(value));
  }
  for (const double value : Values<float>(*outputs, "y.2")) {
    EXPECT_TRUE(std::isfinite(value)) << "the set after the one with NaN";
  }
}

TEST_P(ConformanceTest, PrintsNothing) {
  const Job job = MakeJob();
  Prepare(job);
  ASSERT_TRUE(Load(engine_, job));
  ASSERT_TRUE(Infer(engine_, 1, 2));
  ExpectGoodEnd(engine_);
  EXPECT_THAT(engine_.Printed(), IsEmpty());
}

TEST_P(ConformanceTest, KeepsTheDescriptorFromItsChildren) {
  ASSERT_TRUE(engine_.Expect(MakeRequest("describe")).ok());
  const auto info =
      ReadFile("/proc/" + std::to_string(engine_.pid()) + "/fdinfo/" + std::to_string(9));
  ASSERT_TRUE(info.ok()) << info.error().message;
  const std::size_t at = info->find("flags:");
  ASSERT_NE(at, std::string::npos);
  EXPECT_NE(std::stoul(info->substr(at + 6), nullptr, 8) & 02000000ul, 0u) << *info;  // O_CLOEXEC
}

TEST_P(ConformanceTest, EndsWithItsDescriptor) {
  const Job job = MakeJob();
  Prepare(job);
  ASSERT_TRUE(Load(engine_, job));
  ASSERT_TRUE(Infer(engine_, 0, 1));
  engine_.CloseSocket();
  EXPECT_EQ(engine_.Wait(), 0);
}

TEST_P(ConformanceTest, IsStoppedAndContinuedWithoutHarm) {
  const Job job = MakeJob("inputs", 2);
  Prepare(job);
  ASSERT_TRUE(Load(engine_, job));
  for (int i = 0; i < 10; ++i) {
    ASSERT_TRUE(Infer(engine_, 2, 5));
    engine_.Stop();
    engine_.Continue();
  }
  ExpectGoodEnd(engine_);
}

TEST_P(ConformanceTest, TellsItsMemoryAndForgetsThePeak) {
  const Job job = MakeJob();
  Prepare(job);
  ASSERT_TRUE(Load(engine_, job));
  const auto before = engine_.Expect(MakeRequest("memory", {{"reset", true}}));
  ASSERT_TRUE(before.ok()) << before.error().message;
  const auto after = engine_.Expect(MakeRequest("memory", {{"reset", false}}));
  ASSERT_TRUE(after.ok()) << after.error().message;
  constexpr std::uint64_t kSlack = 1 << 20;  // answering takes memory too
  EXPECT_GT(MemoryFromJson(*before)->peak_rss_bytes, 0u);
  EXPECT_LE(MemoryFromJson(*after)->peak_rss_bytes,
            MemoryFromJson(*before)->peak_rss_bytes + kSlack);
}

TEST_P(ConformanceTest, RefusesAPrecisionThatDoesNotExist) {
  if (!GetParam().runs_model) {
    GTEST_SKIP() << "this engine claims whatever it is told";
  }
  Job job = MakeJob();
  job.recipe["precision"] = "fp3";
  job.artifact = "";
  const auto reply = engine_.Ask(MakeRequest("load", ToJson(job)));
  ASSERT_TRUE(reply.ok()) << reply.error().message;
  EXPECT_THAT(CheckReply(*reply).error().message, HasSubstr("fp3"));
}

INSTANTIATE_TEST_SUITE_P(Engines, ConformanceTest, ::testing::ValuesIn(PresentCases()),
                         [](const auto& instance) { return instance.param.label; });

}  // namespace
}  // namespace assay::engine
