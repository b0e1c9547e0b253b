// A child process in a process group of its own: started, stopped, continued, killed and reaped as
// a group. Knows nothing of the protocol.
#pragma once

#include <sys/types.h>

#include <csignal>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/file.h"
#include "base/result.h"

namespace assay::campaign {

struct ChildSpec {
  std::vector<std::string> command;                            // path and arguments
  std::vector<std::pair<std::string, std::string>> variables;  // added to the environment
  std::vector<int> cpus;                                       // affinity; empty: as the parent's
  std::uint64_t memory_bytes = 0;                              // RLIMIT_DATA; 0: no limit
  int inherited_fd = -1;  // the one descriptor above 2 that it gets, under this number
  sigset_t mask{};        // signals blocked in it
};

/// What stands in this process' environment that no child gets, "NAME=VALUE": it would make a runtime
/// another than the one that is named (a compiler switched off, kernels for older processors).
std::vector<std::string> ClearedVariables();

/// Owns the group: the end of its life kills and reaps what is left of it.
class Child {
 public:
  /// stdin is /dev/null, stdout and stderr go to `output`. It dies with this process (also when
  /// stopped), is the kernel's first choice when memory runs out, and dumps no core.
  /// Errors  kIo when the kernel refuses. A program that cannot be executed says so on `output` and
  ///         ends with status 127.
  static Result<Child> Start(const ChildSpec& spec, int output);
  Child(Child&& other) noexcept;
  Child& operator=(Child&&) = delete;
  ~Child();

  int pidfd() const { return pidfd_.get(); }  // readable once the leader has ended
  bool stopped() const { return stopped_; }

  void SendStop();      // SIGSTOP to the group; asynchronous
  bool StopReported();  // the kernel has reported the leader stopped
  void Continue();
  void KillGroup();  // SIGKILL to all of the group; the leader stays to be reaped

  /// The wait status when the leader has ended: kills what is left of its group and reaps it.
  std::optional<int> Reap();
  std::optional<int> AwaitFor(double seconds);  // the same when it ends within this time: blocks

 private:
  Child(pid_t pid, Descriptor pidfd) : pid_(pid), pidfd_(std::move(pidfd)) {}
  pid_t pid_ = -1;
  Descriptor pidfd_;
  bool stopped_ = false;
};

}  // namespace assay::campaign
