// The real workshop: workers are child processes that speak the protocol over a socket, and one
// poll loop waits for all of them, for signals and for deadlines. Single-threaded; sleeps in poll.
#pragma once

#include <filesystem>
#include <memory>
#include <vector>

#include "campaign/signals.h"
#include "campaign/worker.h"

namespace assay::campaign {

class WorkerProcess;

class ProcessWorkshop final : public Workshop {
 public:
  /// engines  folder of the assay-engine-* programs
  /// home     its tmp/ gets one folder for this process, removed at the end; folders there whose
  ///          process is gone are removed now
  /// Errors   kIo when the folder cannot be made, or signals not be watched.
  static Result<std::unique_ptr<ProcessWorkshop>> Open(const std::filesystem::path& engines,
                                                       const std::filesystem::path& home);
  ~ProcessWorkshop() override;

  Result<std::unique_ptr<Worker>> Start(const WorkerSpec& spec) override;
  void WaitAny(std::span<Worker* const> workers) override;
  Status Pause(double seconds) override;
  double Now() override;
  int signal() const override { return signal_; }
  std::uint64_t AvailableBytes() override;
  std::int64_t StealTicks() override;

  const std::filesystem::path& temporary() const { return temporary_; }

 private:
  friend class WorkerProcess;
  ProcessWorkshop(Signals signals, std::filesystem::path engines, std::filesystem::path temporary);

  void PollOnce(double until);  // handles what has come; returns at `until` at the latest
  void HandleSignals();
  void Suspend();  // Ctrl-Z: stops the workers and this process until it is continued

  Signals signals_;
  std::filesystem::path engines_, temporary_;
  std::vector<WorkerProcess*> workers_;
  int started_ = 0;
  int signal_ = 0;
  double suspended_s_ = 0;
};

}  // namespace assay::campaign
