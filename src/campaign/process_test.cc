// Workers as real processes: the fake engine with its bad manners.
#include "campaign/process.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>

#include "base/text.h"
#include "campaign/outcome.h"
#include "engine/protocol.h"
#include "tensor/safetensors.h"

namespace assay::campaign {
namespace {

constexpr double kLong = 60;  // that a healthy worker never needs

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kSanitized = true;
#else
constexpr bool kSanitized = false;
#endif

class ProcessTest : public ::testing::Test {
 protected:
  ProcessTest() {
    std::string pattern = ::testing::TempDir() + "campaign-XXXXXX";
    home_ = ::mkdtemp(pattern.data());
    const std::vector<float> values = {1, -1};
    tensor::Tensor input{.name = "x.0", .type = {tensor::DType::kFloat32, {1, 2}}, .data = {}};
    input.data.resize(sizeof(float) * values.size());
    std::memcpy(input.data.data(), values.data(), input.data.size());
    EXPECT_TRUE(tensor::WriteSafetensors(home_ / "inputs.safetensors", {input}).ok());
    auto workshop = ProcessWorkshop::Open(ASSAY_BUILD_DIR, home_);
    EXPECT_TRUE(workshop.ok());
    workshop_ = *std::move(workshop);
  }
  ~ProcessTest() override {
    workshop_.reset();
    std::filesystem::remove_all(home_);
  }

  std::unique_ptr<Worker> Start(WorkerSpec spec = {}) {
    spec.engine = "fake";
    auto worker = workshop_->Start(spec);
    EXPECT_TRUE(worker.ok());
    return *std::move(worker);
  }
  Json Load(const char* misbehaviour = "[]") {
    engine::Job job;
    job.conversion = "X";
    job.recipe = {{"precision", "fp32"}};
    job.inputs = home_ / "inputs.safetensors";
    job.input_sets = 1;
    job.options = {{"default", {{"latency_ns", 1000}, {"misbehave", Json::parse(misbehaviour)}}}};
    return engine::MakeRequest("load", engine::ToJson(job));
  }
  static Json Infer() {
    return engine::MakeRequest("infer", {{"discard", 0}, {"count", 5}, {"batch", 1}});
  }
  /// How the first inference ends that misbehaves so.
  Error EndOf(const char* misbehaviour, double timeout_s = kLong, WorkerSpec spec = {}) {
    const auto worker = Start(std::move(spec));
    const auto loaded = worker->Ask(Load(misbehaviour), kLong);
    EXPECT_TRUE(loaded.ok()) << loaded.error().message;
    const auto reply = worker->Ask(Infer(), timeout_s);
    EXPECT_FALSE(reply.ok());
    return reply.ok() ? Error{} : reply.error();
  }

  std::filesystem::path home_;
  std::unique_ptr<ProcessWorkshop> workshop_;
};

/// Processes whose command line holds `text`.
std::vector<pid_t> ProcessesOf(const std::string& text) {
  std::vector<pid_t> found;
  for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
    std::ifstream file(entry.path() / "environ", std::ios::binary);
    const std::string environment((std::istreambuf_iterator<char>(file)), {});
    if (environment.find(text) != std::string::npos) {
      found.push_back(std::atoi(entry.path().filename().c_str()));
    }
  }
  return found;
}

TEST_F(ProcessTest, ServesRequestsAndEndsWhenClosed) {
  auto worker = Start();
  ASSERT_TRUE(worker->Ask(engine::MakeRequest("describe"), kLong).ok());
  ASSERT_TRUE(worker->Ask(Load(), kLong).ok());
  const auto reply = worker->Ask(Infer(), kLong);
  ASSERT_TRUE(reply.ok());
  EXPECT_EQ(engine::SliceFromJson(*reply)->samples_ns.size(), 5u);
  worker->Close();
  worker.reset();
  EXPECT_TRUE(ProcessesOf(home_.string()).empty());
}

TEST_F(ProcessTest, ReportsCrashedWhenTheWorkerDiesBySignal) {
  const Error error = EndOf(R"([{"how": "kill"}])");
  EXPECT_EQ(error.code, Code::kCrashed);
  EXPECT_EQ(error.message, "assay-engine-fake was killed by signal 9 (SIGKILL) during infer");
  EXPECT_EQ(EndOf(R"([{"how": "abort"}])").code, Code::kCrashed);
}

TEST_F(ProcessTest, ReportsTheStatusOfAWorkerThatEndsWithoutAnswering) {
  const Error error = EndOf(R"([{"how": "exit", "status": 3}])");
  EXPECT_EQ(OutcomeOf(error.code), record::Outcome::kFailed);
  EXPECT_NE(error.message.find("ended with status 3 during infer"), std::string::npos);
}

TEST_F(ProcessTest, ReportsTimedOutWhenAWorkerHangs) {
  EXPECT_EQ(EndOf(R"([{"how": "hang"}])", 0.2).code, Code::kTimedOut);
  const Error hard = EndOf(R"([{"how": "hang_hard"}])", 0.2);
  EXPECT_EQ(hard.code, Code::kTimedOut);
  EXPECT_EQ(hard.message, "assay-engine-fake did not answer infer within 0.2 s");
  EXPECT_TRUE(ProcessesOf(home_.string()).empty());
}

TEST_F(ProcessTest, ReportsOutOfMemoryWhenAWorkerReachesItsLimit) {
  if (kSanitized) {
    GTEST_SKIP() << "sanitized programs do not start under a memory limit";
  }
  EXPECT_EQ(EndOf(R"([{"how": "eat_memory", "bytes": 1000000000000}])", kLong,
                  {.engine = "", .variables = {}, .cpus = {}, .memory_bytes = 256u << 20})
                .code,
            Code::kOutOfMemory);
}

TEST_F(ProcessTest, ReportsFailedForWhatIsNoProtocol) {
  for (const char* how : {"lie_garbage", "lie_no_json", "lie_huge", "lie_reply"}) {
    const auto worker = Start();
    ASSERT_TRUE(
        worker->Ask(Load((std::string(R"([{"how": ")") + how + R"("}])").c_str()), kLong).ok());
    const auto reply = worker->Ask(Infer(), kLong);
    const bool refused = !reply.ok() || !engine::SliceFromJson(*reply).ok();
    EXPECT_TRUE(refused) << how;
    if (!reply.ok()) {
      EXPECT_EQ(OutcomeOf(reply.error().code), record::Outcome::kFailed) << how;
    }
  }
}

TEST_F(ProcessTest, ReadsWhatAWorkerPrintsSoThatItDoesNotBlock) {
  const auto worker = Start();
  ASSERT_TRUE(worker->Ask(Load(R"([{"how": "print", "bytes": 1000000}])"), kLong).ok());
  EXPECT_TRUE(worker->Ask(Infer(), kLong).ok());
}

TEST_F(ProcessTest, KillsProcessesThatAWorkerStarted) {
  {
    const auto worker = Start();
    ASSERT_TRUE(worker->Ask(Load(R"([{"how": "grandchild"}])"), kLong).ok());
    ASSERT_TRUE(worker->Ask(Infer(), kLong).ok());
    EXPECT_GE(ProcessesOf(home_.string()).size(), 2u);
  }
  for (int i = 0; i < 100 && !ProcessesOf(home_.string()).empty(); ++i) {
    ASSERT_TRUE(workshop_->Pause(0.05).ok());  // init reaps them
  }
  EXPECT_TRUE(ProcessesOf(home_.string()).empty());
}

TEST_F(ProcessTest, StopsAWorkerAndWakesIt) {
  const auto worker = Start();
  ASSERT_TRUE(worker->Ask(Load(), kLong).ok());
  ASSERT_TRUE(worker->Stop().ok());
  worker->Send(Infer(), 0.2);
  EXPECT_EQ(worker->Receive().error().code, Code::kTimedOut);  // it slept
  const auto other = Start();
  ASSERT_TRUE(other->Ask(Load(), kLong).ok());
  ASSERT_TRUE(other->Stop().ok());
  other->Continue();
  EXPECT_TRUE(other->Ask(Infer(), kLong).ok());
}

TEST_F(ProcessTest, NoticesTheDeathOfAStoppedWorker) {
  const auto worker = Start();
  ASSERT_TRUE(worker->Ask(Load(), kLong).ok());
  ASSERT_TRUE(worker->Stop().ok());
  for (const pid_t pid : ProcessesOf(home_.string())) {
    ::kill(pid, SIGKILL);
  }
  worker->Continue();
  EXPECT_EQ(worker->Ask(Infer(), kLong).error().code, Code::kCrashed);
}

TEST_F(ProcessTest, SetsEnvironmentAndAffinityBeforeExec) {
  const auto worker = Start({.engine = "", .variables = {{"OMP_NUM_THREADS", "7"}}, .cpus = {0}});
  ASSERT_TRUE(worker->Ask(engine::MakeRequest("describe"), kLong).ok());
  const std::vector<pid_t> pids = ProcessesOf(home_.string());
  ASSERT_EQ(pids.size(), 1u);
  const std::string proc = "/proc/" + std::to_string(pids.front());
  EXPECT_EQ(ProcessesOf("OMP_NUM_THREADS=7"), pids);
  EXPECT_NE(ReadFile(proc + "/status")->find("Cpus_allowed_list:\t0\n"), std::string::npos);
  EXPECT_EQ(*ReadFile(proc + "/oom_score_adj"), "500\n");
  EXPECT_EQ(::getpgid(pids.front()), pids.front());
  EXPECT_EQ(::getsid(pids.front()), ::getsid(0));
}

TEST_F(ProcessTest, SaysThatAnEngineIsNotHere) {
  const auto worker = workshop_->Start({.engine = "nosuch", .variables = {}, .cpus = {}});
  ASSERT_FALSE(worker.ok());
  EXPECT_EQ(worker.error().code, Code::kUnavailable);
}

TEST_F(ProcessTest, RemovesTemporaryFoldersItsOwnAndThoseOfProcessesThatAreGone) {
  const auto abandoned = home_ / "tmp" / "run-999999999" / "0-fake";
  std::filesystem::create_directories(abandoned);
  const auto own = workshop_->temporary();
  auto worker = Start();
  EXPECT_TRUE(std::filesystem::exists(own / "0-fake"));
  worker.reset();
  EXPECT_FALSE(std::filesystem::exists(own / "0-fake"));
  workshop_.reset();
  EXPECT_FALSE(std::filesystem::exists(own));
  workshop_ = *ProcessWorkshop::Open(ASSAY_BUILD_DIR, home_);
  EXPECT_FALSE(std::filesystem::exists(home_ / "tmp" / "run-999999999"));
}

TEST_F(ProcessTest, EndsWaitingRequestsWhenInterrupted) {
  const auto worker = Start();
  ASSERT_TRUE(worker->Ask(Load(R"([{"how": "hang"}])"), kLong).ok());
  ::kill(::getpid(), SIGINT);
  EXPECT_EQ(worker->Ask(Infer(), kLong).error().code, Code::kInterrupted);
  EXPECT_EQ(workshop_->signal(), SIGINT);
  EXPECT_EQ(workshop_->Start({.engine = "fake", .variables = {}, .cpus = {}}).error().code,
            Code::kInterrupted);
}

/// Runs `body` in a child process of this test's; returns its pid.
template <typename Body>
pid_t Fork(Body body) {
  const pid_t pid = ::fork();
  if (pid == 0) {
    body();
    ::_exit(0);
  }
  return pid;
}

TEST_F(ProcessTest, KillingTheParentLeavesNoWorkerBehindNotEvenAStoppedOne) {
  workshop_.reset();
  int ready[2];
  ASSERT_EQ(::pipe(ready), 0);
  const pid_t parent = Fork([&] {
    workshop_ = *ProcessWorkshop::Open(ASSAY_BUILD_DIR, home_);
    const auto stopped = Start();
    const auto busy = Start();
    if (stopped->Ask(Load(), kLong).ok() && stopped->Stop().ok() &&
        busy->Ask(Load(R"([{"how": "hang_hard"}])"), kLong).ok()) {
      busy->Send(Infer(), kLong);
      [[maybe_unused]] const auto written = ::write(ready[1], "r", 1);
      [[maybe_unused]] const auto reply = busy->Receive();
    }
  });
  char byte = 0;
  ::close(ready[1]);
  ASSERT_EQ(::read(ready[0], &byte, 1), 1);
  ::close(ready[0]);
  EXPECT_EQ(ProcessesOf(home_.string()).size(), 2u);
  ::kill(parent, SIGKILL);
  ::waitpid(parent, nullptr, 0);
  for (int i = 0; i < 200 && !ProcessesOf(home_.string()).empty(); ++i) {
    ::usleep(50'000);
  }
  EXPECT_TRUE(ProcessesOf(home_.string()).empty());
}

TEST_F(ProcessTest, DoesNotCountTimeStoppedAgainstADeadline) {
  workshop_.reset();
  const pid_t parent = Fork([&] {
    workshop_ = *ProcessWorkshop::Open(ASSAY_BUILD_DIR, home_);
    const auto worker = Start();
    const char* slow = R"([{"how": "delay", "milliseconds": 400, "after": 1}])";
    if (!worker->Ask(Load(slow), kLong).ok()) {
      ::_exit(2);
    }
    ::kill(::getpid(), SIGTSTP);
    const auto reply =
        worker->Ask(engine::MakeRequest("infer", {{"discard", 0}, {"count", 2}, {"batch", 1}}), 3);
    ::_exit(reply.ok() ? 0 : 3);
  });
  int status = 0;
  ASSERT_EQ(::waitpid(parent, &status, WUNTRACED), parent);
  ASSERT_TRUE(WIFSTOPPED(status));
  ::usleep(3'500'000);
  ::kill(parent, SIGCONT);
  ASSERT_EQ(::waitpid(parent, &status, 0), parent);
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

}  // namespace
}  // namespace assay::campaign
