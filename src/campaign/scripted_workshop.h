// For tests: a workshop without processes or a clock. Each arm's latency and failures are scripted;
// time passes only by what the script says that inferences take, and by timeouts.
#pragma once

#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "campaign/progress.h"
#include "campaign/worker.h"
#include "engine/protocol.h"

namespace assay::campaign {

struct ScriptedArm {
  /// Of an inference, in the arm's process number `process`, its request for samples number `slice`
  /// (0: the first inference).
  std::function<double(int process, int slice)> latency_ns = [](int, int) { return 10e6; };
  /// What a request is answered with instead, if anything.
  std::function<std::optional<Error>(const std::string& verb, int process, int slice)> fails =
      [](const std::string&, int, int) { return std::nullopt; };
  std::uint64_t bytes = 100;
};

class ScriptedWorkshop final : public Workshop {
 public:
  std::map<std::string, ScriptedArm> arms;  // by Job::conversion
  std::uint64_t memory = 1ull << 40;        // of the machine
  double interrupt_at_s = 1e300;
  std::vector<std::string> log;  // "load A", "infer A", ...
  int violations = 0;            // requests to a stopped worker, or while another one runs
  std::size_t most_alive = 0;

  Result<std::unique_ptr<Worker>> Start(const WorkerSpec& spec) override;
  void WaitAny(std::span<Worker* const>) override {}  // scripted answers are there at once
  Status Pause(double seconds) override {
    now_ += seconds;
    return {};
  }
  double Now() override { return now_; }
  int signal() const override { return now_ >= interrupt_at_s ? 2 : 0; }
  std::uint64_t AvailableBytes() override;
  std::int64_t StealTicks() override { return 0; }

 private:
  friend class ScriptedWorker;
  double now_ = 0;
  std::map<std::string, int> processes_;
  std::vector<class ScriptedWorker*> alive_;
};

class ScriptedWorker final : public Worker {
 public:
  explicit ScriptedWorker(ScriptedWorkshop& shop) : shop_(shop) { shop_.alive_.push_back(this); }
  ~ScriptedWorker() override { std::erase(shop_.alive_, this); }

  void Send(const Json& request, double seconds) override {
    const std::string verb = request.at("verb").get<std::string>();
    if (verb == "load") {
      name_ = request.at("conversion").get<std::string>();
      process_ = shop_.processes_[name_]++;
    }
    shop_.log.push_back(verb + " " + name_);
    answer_ = Serve(verb, request);
    if (!answer_->ok() && answer_->error().code == Code::kTimedOut) {
      shop_.now_ += seconds;
    }
  }
  bool Answered() const override { return answer_.has_value(); }
  Result<Json> Receive() override {
    Result<Json> answer = *std::move(answer_);
    answer_.reset();
    return answer;
  }
  Status Stop() override {
    stopped_ = true;
    return {};
  }
  void Continue() override { stopped_ = false; }
  void Close() override {}

  bool stopped() const { return stopped_; }
  const std::string& name() const { return name_; }

 private:
  Result<Json> Serve(const std::string& verb, const Json& request) {
    const ScriptedArm& arm = shop_.arms.at(name_);
    for (const ScriptedWorker* other : shop_.alive_) {
      const bool disturbed = verb == "infer" && other != this && !other->stopped();
      shop_.violations += disturbed || (other == this && stopped_) ? 1 : 0;
    }
    if (shop_.signal() != 0) {
      return Error{Code::kInterrupted, "interrupted", ""};
    }
    if (const auto error = arm.fails(verb, process_, slice_)) {
      return *error;
    }
    if (verb == "load") {
      return engine::MakeReply(engine::ToJson(engine::Loaded{
          .seconds = 1, .threads = 2, .precision = "fp32", .device = "cpu", .notes = {}}));
    }
    if (verb == "memory") {
      return engine::MakeReply(engine::ToJson(engine::Memory{arm.bytes, arm.bytes / 2}));
    }
    return verb == "infer" ? Infer(arm, request) : engine::MakeReply();
  }

  Result<Json> Infer(const ScriptedArm& arm, const Json& request) {
    const double ns = arm.latency_ns(process_, slice_++);
    const auto count = request.at("count").get<std::size_t>();
    const double all = (static_cast<double>(count) * request.at("batch").get<double>() +
                        request.at("discard").get<double>());
    shop_.now_ += ns * 1e-9 * all;
    engine::Slice slice;
    slice.samples_ns.assign(count, ns);
    slice.charges.threads_active = 2;
    slice.clock_floor_ns = 20;
    return engine::MakeReply(engine::ToJson(slice));
  }

  ScriptedWorkshop& shop_;
  std::string name_;
  int process_ = 0;
  int slice_ = 0;
  bool stopped_ = false;
  std::optional<Result<Json>> answer_;
};

inline Result<std::unique_ptr<Worker>> ScriptedWorkshop::Start(const WorkerSpec&) {
  if (signal() != 0) {
    return Error{Code::kInterrupted, "interrupted", ""};
  }
  auto worker = std::make_unique<ScriptedWorker>(*this);
  most_alive = std::max(most_alive, alive_.size());
  return std::unique_ptr<Worker>(std::move(worker));
}

inline std::uint64_t ScriptedWorkshop::AvailableBytes() {
  std::uint64_t used = 0;
  for (const ScriptedWorker* worker : alive_) {
    used += arms.at(worker->name()).bytes;
  }
  return used < memory ? memory - used : 0;
}

class SilentProgress final : public Progress {
 public:
  void Update(const Stage&) override {}
  void Say(const std::string&) override {}
};

}  // namespace assay::campaign
