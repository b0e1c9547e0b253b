#include "engines/fake/misbehave.h"

#include <fmt/format.h>
#include <spawn.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <new>
#include <stdexcept>
#include <string_view>
#include <thread>
#include <vector>

namespace assay::engine::fake {
namespace {

/// Ends by the signal itself, whatever handlers a sanitizer has put there.
void DieBy(int signal) {
  std::signal(signal, SIG_DFL);
  ::kill(::getpid(), signal);
}

void HangForEver() {
  while (true) {
    ::pause();
  }
}

void Print(std::int64_t bytes) {
  const std::string line(79, '#');
  for (std::int64_t written = 0; written < bytes; written += 80) {
    fmt::print(stdout, "{}\n", line);
    fmt::print(stderr, "{}\n", line);
  }
  std::fflush(stdout);
}

/// Where nothing limits this process, `bytes` does: a test must not take its machine down.
[[noreturn]] void EatMemory(std::int64_t bytes) {
  constexpr std::size_t kBite = 16u << 20;
  rlimit limit{};
  ::getrlimit(RLIMIT_DATA, &limit);
  const bool limited = limit.rlim_cur != RLIM_INFINITY;
  std::vector<std::unique_ptr<char[]>> eaten;
  for (std::int64_t total = 0; limited || total < bytes; total += kBite) {
    eaten.push_back(std::make_unique_for_overwrite<char[]>(kBite));
    std::memset(eaten.back().get(), 1, kBite);
  }
  throw std::bad_alloc();
}

void WriteRaw(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(fd, bytes.data(), bytes.size());
    if (written <= 0) {
      return;  // the reader has had enough
    }
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
}

void WriteFrameOf(int fd, std::string_view body) {
  const auto size = static_cast<std::uint32_t>(body.size());
  WriteRaw(fd, {reinterpret_cast<const char*>(&size), sizeof size});
  WriteRaw(fd, body);
}

void WriteHugeFrame(int fd, std::int64_t bytes) {
  std::signal(SIGPIPE, SIG_IGN);
  WriteRaw(fd, "\xff\xff\xff\xff");
  const std::string chunk(1 << 16, ' ');
  for (std::int64_t written = 0; written < bytes; written += 1 << 16) {
    WriteRaw(fd, chunk);
  }
}

void StartGrandchild() {
  char program[] = "/bin/sleep", hour[] = "3600";
  char* arguments[] = {program, hour, nullptr};
  pid_t child = 0;
  ::posix_spawn(&child, program, nullptr, nullptr, arguments, ::environ);
}

}  // namespace

Status Misbehave(const Misbehaviour& m, int protocol_fd) {
  switch (m.how) {
    case How::kSegv:
      DieBy(SIGSEGV);
      break;
    case How::kAbort:
      DieBy(SIGABRT);
      break;
    case How::kKill:
      DieBy(SIGKILL);
      break;
    case How::kExit:
      ::_exit(m.status);
    case How::kHangHard:
      for (const int signal : {SIGTERM, SIGINT, SIGHUP}) {
        std::signal(signal, SIG_IGN);
      }
      [[fallthrough]];
    case How::kHang:
      HangForEver();
      break;
    case How::kDelay:
      std::this_thread::sleep_for(std::chrono::milliseconds(m.milliseconds));
      break;
    case How::kPrint:
      Print(m.bytes);
      break;
    case How::kEat:
      EatMemory(m.bytes);
    case How::kThrow:
      throw std::runtime_error(m.reason);
    case How::kFail:
      return Error{Code::kInternal, m.reason, ""};
    case How::kUnsupported:
      return Error{Code::kUnsupported, m.reason, ""};
    case How::kGarbage:
      WriteRaw(protocol_fd, "[INFO] a runtime that prints where it should not\n");
      break;
    case How::kNoJson:
      WriteFrameOf(protocol_fd, "{\"ok\": tru");
      break;
    case How::kWrongReply:
      WriteFrameOf(protocol_fd,
                   R"({"ok": true, "engine": 7, "seconds": "many", "samples_ns": {}})");
      break;
    case How::kHugeFrame:
      WriteHugeFrame(protocol_fd, m.bytes);
      break;
    case How::kGrandchild:
      StartGrandchild();
      break;
  }
  return {};
}

}  // namespace assay::engine::fake
