// An engine as its users see it: a process behind a socket. Only what tests need; campaigns have a
// worker of their own.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

#include "base/file.h"
#include "base/json.h"
#include "base/result.h"
#include "engine/protocol.h"

namespace assay::engine {

struct Launch {
  std::string script;              // ASSAY_FAKE, "" for none
  std::uint64_t memory_bytes = 0;  // RLIMIT_DATA, 0 for none
};

class EngineProcess {
 public:
  /// Starts assay-engine-`name` of this build. Its stdout and stderr go to a file of their own.
  explicit EngineProcess(std::string_view name, const Launch& launch = {});
  EngineProcess(const EngineProcess&) = delete;
  ~EngineProcess();  // kills what is left of it

  /// One request and its reply. Errors  those of frames; kTimedOut after a minute of silence.
  Result<Json> Ask(const Json& request);
  /// The same for a reply that must be good: the error it carries is the error here.
  Result<Json> Expect(const Json& request);

  /// A request whose reply nobody waits for.
  void Send(const Json& request);
  /// Returns once the process ignores `signal`, after a minute at most.
  void AwaitIgnores(int signal) const;

  void CloseSocket() { socket_ = Descriptor(); }
  /// Bytes that came beyond the replies, until the engine closed its end.
  std::string Rest();
  /// The status that waitpid gives once the process has ended; -1 when it has not after a minute.
  int Wait();
  void Stop();  // SIGSTOP; returns when the process has stopped
  void Continue();
  pid_t pid() const { return pid_; }
  std::string Printed() const;  // what it wrote to stdout and stderr

 private:
  pid_t pid_ = -1;
  Descriptor socket_;
  std::filesystem::path printed_;
  FrameParser parser_;
};

}  // namespace assay::engine
