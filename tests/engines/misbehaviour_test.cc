// The fake engine's misbehaviour as a parent sees it: what campaigns are tested against.
#include <gmock/gmock.h>
#include <sys/wait.h>

#include <csignal>
#include <filesystem>
#include <optional>
#include <string>

#include "engine/protocol.h"
#include "engine_cases.h"
#include "engine_process.h"

namespace assay::engine {
namespace {

using ::testing::HasSubstr;

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kSanitized = true;
#else
constexpr bool kSanitized = false;
#endif

class MisbehaviourTest : public ::testing::Test {
 protected:
  static Json Script(Json misbehaviour) {
    return {{"default", {{"misbehave", Json::array({std::move(misbehaviour)})}}}};
  }

  void Start(const Json& script, std::uint64_t memory_bytes = 0) {
    engine_.emplace("fake", Launch{script.dump(), memory_bytes});
  }

  static Json LoadRequest() {
    Job job;
    job.recipe = Json::object();
    job.inputs = Fixture() / "inputs.safetensors";
    return MakeRequest("load", ToJson(job));
  }
  Result<Json> Load() { return engine_->Expect(LoadRequest()); }
  void SendLoad() { engine_->Send(LoadRequest()); }
  Result<Json> Infer() {
    return engine_->Expect(MakeRequest("infer", {{"discard", 0}, {"count", 1}, {"batch", 1}}));
  }
  /// Loads and infers once under `script`; the error of the inference.
  Error ErrorOfInfer(const Json& script, std::uint64_t memory_bytes = 0) {
    Start(script, memory_bytes);
    const auto loaded = Load();
    EXPECT_TRUE(loaded.ok()) << loaded.error().message;
    const auto inferred = Infer();
    EXPECT_FALSE(inferred.ok());
    return inferred.ok() ? Error{} : inferred.error();
  }

  std::optional<EngineProcess> engine_;
};

TEST_F(MisbehaviourTest, DiesBySignals) {
  for (const auto& [how, signal] :
       {std::pair{"segv", SIGSEGV}, {"abort", SIGABRT}, {"kill", SIGKILL}}) {
    EXPECT_EQ(ErrorOfInfer(Script({{"how", how}})).code, Code::kCrashed);
    const int status = engine_->Wait();
    ASSERT_TRUE(WIFSIGNALED(status)) << how;
    EXPECT_EQ(WTERMSIG(status), signal);
  }
}

TEST_F(MisbehaviourTest, ExitsWithAStatus) {
  EXPECT_EQ(ErrorOfInfer(Script({{"how", "exit"}, {"status", 42}})).code, Code::kCrashed);
  const int status = engine_->Wait();
  ASSERT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 42);
}

TEST_F(MisbehaviourTest, FailsAtTheStageThatIsNamed) {
  Start(Script({{"stage", "load"}, {"how", "unsupported"}, {"reason", "no such operator"}}));
  EXPECT_EQ(Load().error().code, Code::kUnsupported);
  Start(Script({{"stage", "outputs"}, {"how", "fail"}, {"reason", "disk on fire"}}));
  ASSERT_TRUE(Load().ok());
  ASSERT_TRUE(Infer().ok());
  const auto path = std::filesystem::path(::testing::TempDir()) / "misbehaviour.safetensors";
  EXPECT_EQ(engine_->Expect(MakeRequest("outputs", {{"path", path.string()}})).error().message,
            "disk on fire");
  Start(Script({{"stage", "describe"}, {"how", "unsupported"}, {"reason", "no licence"}}));
  const auto described = DescriptionFromJson(*engine_->Expect(MakeRequest("describe")));
  EXPECT_FALSE(described->available);
  EXPECT_EQ(described->reason, "no licence");
}

TEST_F(MisbehaviourTest, ThrowsWhatTheKitCatches) {
  EXPECT_EQ(ErrorOfInfer(Script({{"how", "throw"}, {"reason", "kernel\npanic"}})).message,
            "kernel panic");
  EXPECT_EQ(ErrorOfInfer(Script({{"how", "throw"}, {"reason", "Failed to allocate memory"}})).code,
            Code::kOutOfMemory);
  EXPECT_TRUE(engine_->Expect(MakeRequest("close")).ok());
}

TEST_F(MisbehaviourTest, EatsMemoryUntilTheKernelRefusesAndLivesToSaySo) {
  if (kSanitized) {
    GTEST_SKIP() << "a sanitizer needs more address space than any limit allows";
  }
  EXPECT_EQ(ErrorOfInfer(Script({{"how", "eat_memory"}}), 256u << 20).code, Code::kOutOfMemory);
  EXPECT_TRUE(engine_->Expect(MakeRequest("close")).ok());
}

TEST_F(MisbehaviourTest, PrintsWithoutTouchingTheProtocol) {
  Start(Script({{"how", "print"}, {"bytes", 300'000}}));
  ASSERT_TRUE(Load().ok());
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(Infer().ok());
  }
  ASSERT_TRUE(engine_->Expect(MakeRequest("close")).ok());
  EXPECT_EQ(engine_->Rest(), "");
  EXPECT_EQ(engine_->Wait(), 0);
  EXPECT_GE(engine_->Printed().size(), 3u * 2 * 300'000);
}

TEST_F(MisbehaviourTest, LiesInEveryWay) {
  EXPECT_THAT(ErrorOfInfer(Script({{"how", "lie_garbage"}})).message, HasSubstr("[INF"));
  EXPECT_EQ(ErrorOfInfer(Script({{"how", "lie_no_json"}})).code, Code::kMalformed);
  EXPECT_THAT(ErrorOfInfer(Script({{"how", "lie_huge"}})).message, HasSubstr("4294967295"));
  Start(Script({{"how", "lie_reply"}}));
  ASSERT_TRUE(Load().ok());
  const auto reply = Infer();
  ASSERT_TRUE(reply.ok());
  EXPECT_EQ(SliceFromJson(*reply).error().code, Code::kMalformed);
}

TEST_F(MisbehaviourTest, HangsUntilSigtermEndsIt) {
  Start(Script({{"stage", "load"}, {"how", "hang"}}));
  SendLoad();
  ::kill(engine_->pid(), SIGTERM);
  EXPECT_EQ(WTERMSIG(engine_->Wait()), SIGTERM);
}

TEST_F(MisbehaviourTest, HangsAndIgnoresSigtermWhenToldTo) {
  Start(Script({{"stage", "load"}, {"how", "hang_hard"}}));
  SendLoad();
  engine_->AwaitIgnores(SIGTERM);
  ::kill(engine_->pid(), SIGTERM);
  ::kill(engine_->pid(), SIGKILL);
  EXPECT_EQ(WTERMSIG(engine_->Wait()), SIGKILL);
}

TEST_F(MisbehaviourTest, LeavesAGrandchildThatHoldsNothingOfTheProtocol) {
  Start(Script({{"stage", "load"}, {"how", "grandchild"}}));
  ASSERT_TRUE(Load().ok());
  const std::string children = "/proc/" + std::to_string(engine_->pid()) + "/task/" +
                               std::to_string(engine_->pid()) + "/children";
  const auto listed = ReadFile(children);
  ASSERT_TRUE(listed.ok()) << listed.error().message;
  const pid_t grandchild = std::stoi(*listed);
  ASSERT_TRUE(engine_->Expect(MakeRequest("close")).ok());
  EXPECT_EQ(engine_->Rest(), "") << "end of file comes although the grandchild lives";
  EXPECT_EQ(::kill(grandchild, SIGKILL), 0);
}

}  // namespace
}  // namespace assay::engine
