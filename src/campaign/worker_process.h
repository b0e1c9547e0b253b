// One worker as a process: the socket of the protocol, the pipe of what it prints, the request that
// it serves and when that is due. The workshop's poll loop (process.h) drives it.
#pragma once

#include <poll.h>

#include <csignal>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "campaign/child.h"
#include "campaign/worker.h"
#include "engine/protocol.h"

namespace assay::campaign {

class ProcessWorkshop;

class WorkerProcess final : public Worker {
 public:
  /// program    of the engine; temporary  its TMPDIR, made here and removed at the end
  static Result<std::unique_ptr<WorkerProcess>> Start(ProcessWorkshop& workshop,
                                                      const WorkerSpec& spec,
                                                      const std::filesystem::path& program,
                                                      const std::filesystem::path& temporary,
                                                      const sigset_t& mask);
  ~WorkerProcess() override;

  void Send(const Json& request, double seconds) override;
  bool Answered() const override { return answer_.has_value(); }
  Result<Json> Receive() override;
  Status Stop() override;
  void Continue() override { child_.Continue(); }
  void Close() override;

  // For the workshop's poll loop.
  void AddTo(std::vector<pollfd>& polled) const;
  void TakeWhatCame();      // reads without waiting; notices replies, the end, the deadline
  void Interrupt();         // kills the group; the request ends as interrupted
  double deadline() const;  // in the workshop's time, infinite when nothing is due
  bool stopped() const { return child_.stopped(); }
  Child& child() { return child_; }

 private:
  WorkerProcess(ProcessWorkshop& workshop, std::string name, Child child, Descriptor socket,
                Descriptor output, std::filesystem::path temporary);
  void TakeOutput();
  void TakeReplies();
  void TakeEnd();
  void Answer(Result<Json> answer);
  void Fail(Error error);  // kills the group; this error answers what is asked now and later

  ProcessWorkshop& workshop_;
  std::string name_;
  Child child_;
  Descriptor socket_, output_;
  std::filesystem::path temporary_;
  engine::FrameParser parser_;
  std::string printed_;  // the end of what it printed
  std::int64_t oom_kills_before_ = 0;
  std::string verb_;  // request it serves, "" for none
  double timeout_s_ = 0;
  double due_ = 0;
  std::optional<Error> end_;  // why it can serve nothing any more
  std::optional<Result<Json>> answer_;
  bool closing_ = false;  // asked to end by itself, by due_
  bool ended_ = false;    // the leader is reaped
};

}  // namespace assay::campaign
