#include "cli/terminal.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <string>

namespace assay::cli {
namespace {

/// Holds SIGPIPE back while it lives and swallows the one that a write has raised. The disposition
/// is left alone, so that children inherit none of this.
class WithoutPipeSignal {
 public:
  WithoutPipeSignal() {
    ::sigemptyset(&pipe_);
    ::sigaddset(&pipe_, SIGPIPE);
    ::sigprocmask(SIG_BLOCK, &pipe_, &before_);
  }
  ~WithoutPipeSignal() {
    const timespec at_once{};
    if (::sigismember(&before_, SIGPIPE) == 0) {
      ::sigtimedwait(&pipe_, nullptr, &at_once);
    }
    ::sigprocmask(SIG_SETMASK, &before_, nullptr);
  }
  WithoutPipeSignal(const WithoutPipeSignal&) = delete;
  WithoutPipeSignal& operator=(const WithoutPipeSignal&) = delete;

 private:
  sigset_t pipe_{};
  sigset_t before_{};
};

/// Returns 0 or the errno of the write that failed.
int WriteAll(int fd, std::string_view text) {
  const WithoutPipeSignal guard;
  while (!text.empty()) {
    const ssize_t written = ::write(fd, text.data(), text.size());
    if (written < 0 && errno != EINTR) {
      return errno;
    }
    text.remove_prefix(static_cast<std::size_t>(std::max<ssize_t>(written, 0)));
  }
  return 0;
}

int WidthOf(int fd) {
  winsize size{};
  if (::isatty(fd) == 0) {
    return 0;
  }
  return ::ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

}  // namespace

void OpenStandardDescriptors() {
  int fd = 0;
  do {
    fd = ::open("/dev/null", O_RDWR);
  } while (fd >= 0 && fd <= STDERR_FILENO);
  ::close(fd);
}

Status WriteOut(std::string_view text) {
  const int error = WriteAll(STDOUT_FILENO, text);
  if (error == 0 || error == EPIPE || error == EBADF) {
    return {};
  }
  return Error{Code::kIo, fmt::format("cannot write to standard output: {}", std::strerror(error)),
               ""};
}

void WriteError(std::string_view text) { WriteAll(STDERR_FILENO, text); }

void Say(std::string_view line) { WriteError(std::string(line) + "\n"); }

report::Style StyleOfStdout() {
  const int width = WidthOf(STDOUT_FILENO);
  const char* no_color = std::getenv("NO_COLOR");
  const bool wanted = no_color == nullptr || *no_color == '\0';
  return width == 0 ? report::Style{}
                    : report::Style{.width = std::clamp(width, 60, 120), .color = wanted};
}

int WidthOfStderr() { return WidthOf(STDERR_FILENO); }

}  // namespace assay::cli
