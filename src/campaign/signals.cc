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
    struct sigaction action {};
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

Signals::Signals(Signals&& other) noexcept
    : fd_(std::move(other.fd_)), before_(other.before_), ended_(other.ended_) {}

Signals::~Signals() {
  while (fd_.valid() && Next()) {  // one that nobody took would end us when unblocked
  }
  if (fd_.valid() && !ended_) {
    sigprocmask(SIG_SETMASK, &before_, nullptr);
  }
}

std::optional<int> Signals::Next() {
  signalfd_siginfo info{};
  if (::read(fd_.get(), &info, sizeof info) != sizeof info) {
    return std::nullopt;
  }
  const int number = static_cast<int>(info.ssi_signo);
  ended_ = ended_ || (number != SIGCHLD && number != SIGTSTP);
  return number;
}

}  // namespace assay::campaign
