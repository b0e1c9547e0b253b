#include "campaign/signals.h"

#include <fmt/format.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace assay::campaign {

Result<Signals> Signals::Block() {
  sigset_t wanted;
  sigemptyset(&wanted);
  for (const int number : {SIGINT, SIGTERM, SIGHUP, SIGTSTP}) {
    struct sigaction action{};
    // Blocked signals are queued even when ignored: what nohup or a background shell chose holds.
    if (sigaction(number, nullptr, &action) == 0 && action.sa_handler != SIG_IGN) {
      sigaddset(&wanted, number);
    }
  }
  std::signal(SIGCHLD, SIG_DFL);  // ignored, children would be reaped before we look
  sigaddset(&wanted, SIGCHLD);
  sigset_t blocked = wanted;
  sigaddset(&blocked, SIGPIPE);  // a dead worker's socket must be an error, not our end
  sigset_t before;
  sigprocmask(SIG_BLOCK, &blocked, &before);
  Descriptor fd(::signalfd(-1, &wanted, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!fd.valid()) {
    const int number = errno;
    sigprocmask(SIG_SETMASK, &before, nullptr);
    return Error{Code::kIo, fmt::format("cannot watch signals: {}", std::strerror(number)), ""};
  }
  return Signals(std::move(fd), before);
}

Signals::Signals(Signals&& other) noexcept : fd_(std::move(other.fd_)), before_(other.before_) {}

Signals::~Signals() {
  if (!fd_.valid()) {
    return;
  }
  // One that is pending would end us when unblocked, before what was measured is written: a second
  // Ctrl-C, or timeout(1), which signals its child and then its whole group.
  sigset_t pending;
  sigemptyset(&pending);
  for (const int number : {SIGINT, SIGTERM, SIGHUP, SIGPIPE}) {
    if (sigismember(&before_, number) == 0) {
      sigaddset(&pending, number);
    }
  }
  const timespec now{};
  while (sigtimedwait(&pending, nullptr, &now) > 0) {
  }
  sigprocmask(SIG_SETMASK, &before_, nullptr);
}

std::optional<int> Signals::Next() {
  signalfd_siginfo info{};
  if (::read(fd_.get(), &info, sizeof info) != sizeof info) {
    return std::nullopt;
  }
  return static_cast<int>(info.ssi_signo);
}

}  // namespace assay::campaign
