// What a campaign sees of a worker and of the workshop that makes them: an abstract seam, so that
// rounds, schedules and outcomes are tested without a process or a clock. The real ones are in
// process.h; nothing but this file and that one assumes that a worker runs on this machine.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/json.h"
#include "base/result.h"

namespace assay::campaign {

struct WorkerSpec {
  std::string engine;  // "torch": the program assay-engine-torch
  std::vector<std::pair<std::string, std::string>> variables;  // environment, set before exec
  std::vector<int> cpus;           // affinity, set before exec; empty: as the CLI's own
  std::uint64_t memory_bytes = 0;  // RLIMIT_DATA; 0: no limit
};

/// One worker process. Destroying it kills its whole process group and removes its temporary files.
///
/// The code of an error says how a request ended: kUnsupported, kOutOfMemory and kTimedOut what
/// they say, kCrashed a death by signal, kInterrupted a signal to the CLI, any other a failure.
class Worker {
 public:
  virtual ~Worker() = default;

  /// Sends a request whose reply is due within `seconds`, not counting time stopped.
  virtual void Send(const Json& request, double seconds) = 0;
  virtual bool Answered() const = 0;  // Receive would not wait
  virtual Result<Json> Receive() = 0;

  /// Stops the process group; returns when the kernel reports it stopped. Between replies only.
  virtual Status Stop() = 0;
  virtual void Continue() = 0;

  /// Asks it to end by itself; its destructor then waits a little before it kills what is left.
  virtual void Close() = 0;

  Result<Json> Ask(const Json& request, double seconds) {
    Send(request, seconds);
    return Receive();
  }
};

class Workshop {
 public:
  virtual ~Workshop() = default;

  /// Errors  kUnavailable when there is no such program; kIo; kInterrupted.
  virtual Result<std::unique_ptr<Worker>> Start(const WorkerSpec& spec) = 0;

  virtual void WaitAny(std::span<Worker* const> workers) = 0;  // until one of them has answered
  virtual Status Pause(double seconds) = 0;                    // kInterrupted when a signal came

  virtual double Now() = 0;        // seconds from an arbitrary start, not counting time stopped
  virtual int signal() const = 0;  // that ended the campaign, 0 for none
  virtual std::uint64_t AvailableBytes() = 0;  // memory free now
  virtual std::int64_t StealTicks() = 0;       // time the hypervisor took, since boot
};

}  // namespace assay::campaign
