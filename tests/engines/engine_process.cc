#include "engine_process.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <thread>

namespace assay::engine {
namespace {

constexpr int kPatienceMs = 60'000;
constexpr int kProtocolFd = 9;

/// In the child: descriptors, limits, then the engine.
[[noreturn]] void Become(const std::string& program, int socket, int output, const Launch& launch) {
  ::dup2(::open("/dev/null", O_RDONLY | O_CLOEXEC), STDIN_FILENO);
  ::dup2(output, STDOUT_FILENO);
  ::dup2(output, STDERR_FILENO);
  ::dup2(socket, kProtocolFd);
  if (launch.memory_bytes > 0) {
    const rlimit limit{launch.memory_bytes, launch.memory_bytes};
    ::setrlimit(RLIMIT_DATA, &limit);
  }
  if (!launch.script.empty()) {
    ::setenv("ASSAY_FAKE", launch.script.c_str(), 1);
  }
  const std::string fd = std::to_string(kProtocolFd);
  ::execl(program.c_str(), program.c_str(), "--protocol-fd", fd.c_str(), nullptr);
  ::_exit(127);
}

}  // namespace

EngineProcess::EngineProcess(std::string_view name, const Launch& launch) {
  const std::string program = fmt::format("{}/assay-engine-{}", ASSAY_BUILD_DIR, name);
  std::string printed = (std::filesystem::path(::testing::TempDir()) / "assay-engine-XXXXXX");
  const Descriptor output(::mkostemp(printed.data(), O_CLOEXEC));
  printed_ = printed;
  int sockets[2];
  EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets), 0);
  socket_ = Descriptor(sockets[0]);
  const Descriptor theirs(sockets[1]);
  pid_ = ::fork();
  if (pid_ == 0) {
    Become(program, theirs.get(), output.get(), launch);
  }
}

EngineProcess::~EngineProcess() {
  if (pid_ > 0) {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  std::filesystem::remove(printed_);
}

Result<Json> EngineProcess::Ask(const Json& request) {
  ASSAY_TRY(WriteFrame(socket_.get(), request));
  while (true) {
    ASSAY_ASSIGN(Json message, parser_.Next());
    if (!message.is_null()) {
      return message;
    }
    pollfd readable{socket_.get(), POLLIN, 0};
    if (::poll(&readable, 1, kPatienceMs) == 0) {
      return Error{Code::kTimedOut, fmt::format("no reply to {}", request.dump()), ""};
    }
    char bytes[1 << 16];
    const ssize_t got = ::read(socket_.get(), bytes, sizeof bytes);
    if (got <= 0) {
      return Error{Code::kCrashed,
                   fmt::format("it ended at {}; it printed: {}", request.dump(), Printed()), ""};
    }
    parser_.Feed(bytes, static_cast<std::size_t>(got));
  }
}

Result<Json> EngineProcess::Expect(const Json& request) {
  ASSAY_ASSIGN(Json reply, Ask(request));
  ASSAY_TRY(CheckReply(reply));
  return reply;
}

void EngineProcess::Send(const Json& request) {
  EXPECT_TRUE(WriteFrame(socket_.get(), request).ok());
}

void EngineProcess::AwaitIgnores(int signal) const {
  constexpr std::string_view kField = "SigIgn:";  // a mask in hexadecimal
  const std::string path = fmt::format("/proc/{}/status", pid_);
  for (int i = 0; i < kPatienceMs; ++i) {
    const Result<std::string> status = ReadFile(path);
    const std::size_t at = status.ok() ? status->find(kField) : std::string::npos;
    if (at != std::string::npos &&
        (std::stoull(status->substr(at + kField.size()), nullptr, 16) >> (signal - 1)) & 1) {
      return;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  ADD_FAILURE() << "process " << pid_ << " does not ignore signal " << signal;
}

std::string EngineProcess::Rest() {
  std::string rest;
  char bytes[4096];
  for (ssize_t got; (got = ::read(socket_.get(), bytes, sizeof bytes)) > 0;) {
    rest.append(bytes, static_cast<std::size_t>(got));
  }
  return rest;
}

int EngineProcess::Wait() {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::milliseconds(kPatienceMs);
  while (std::chrono::steady_clock::now() < deadline) {
    int status = 0;
    if (::waitpid(pid_, &status, WNOHANG) == pid_) {
      pid_ = -1;
      return status;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  return -1;
}

void EngineProcess::Stop() {
  ::kill(pid_, SIGSTOP);
  int status = 0;
  EXPECT_EQ(::waitpid(pid_, &status, WUNTRACED), pid_);
  EXPECT_TRUE(WIFSTOPPED(status));
}

void EngineProcess::Continue() { ::kill(pid_, SIGCONT); }

std::string EngineProcess::Printed() const {
  const Result<std::string> printed = ReadFile(printed_);
  return printed.ok() ? *printed : printed.error().message;
}

}  // namespace assay::engine
