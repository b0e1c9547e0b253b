// The signals a campaign must notice while it waits: interrupts, Ctrl-Z and changes of children.
// They are blocked and read from a descriptor, so no handler runs and nothing here is global.
#pragma once

#include <csignal>
#include <optional>

#include "base/file.h"
#include "base/result.h"

namespace assay::campaign {

/// Blocks SIGINT, SIGTERM, SIGHUP, SIGTSTP, SIGCHLD and SIGPIPE for as long as it lives; what was
/// blocked before is restored afterwards, unless one that ends a campaign has come: what was
/// measured is still to be written, and a second Ctrl-C must not prevent that.
class Signals {
 public:
  /// Errors  kIo when the kernel gives no signalfd.
  static Result<Signals> Block();
  Signals(Signals&& other) noexcept;
  Signals& operator=(Signals&&) = delete;
  ~Signals();

  int fd() const { return fd_.get(); }  // readable when Next has something
  std::optional<int> Next();            // the number of a signal that came, never waits

  /// What the process had blocked before: for a child before exec.
  const sigset_t& mask_before() const { return before_; }

 private:
  Signals(Descriptor fd, const sigset_t& before) : fd_(std::move(fd)), before_(before) {}
  Descriptor fd_;
  sigset_t before_;
  bool ended_ = false;  // by a signal
};

}  // namespace assay::campaign
