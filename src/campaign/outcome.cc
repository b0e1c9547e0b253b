#include "campaign/outcome.h"

#include <fmt/format.h>
#include <sys/wait.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <cstring>

#include "base/file.h"
#include "base/text.h"

namespace assay::campaign {
namespace {

constexpr std::size_t kReasonLength = 300;

std::int64_t CountIn(const char* path, std::string_view key) {
  const auto text = ReadFile(path);
  if (!text.ok()) {
    return 0;
  }
  for (const std::string& line : Split(*text, '\n')) {
    if (line.starts_with(key) && line.size() > key.size() && line[key.size()] == ' ') {
      return std::strtoll(line.c_str() + key.size(), nullptr, 10);
    }
  }
  return 0;
}

std::string During(const Death& death) {
  return death.verb.empty() ? "between two requests" : fmt::format("during {}", death.verb);
}

}  // namespace

record::Outcome OutcomeOf(Code code) {
  switch (code) {
    case Code::kUnsupported:
    case Code::kUnavailable:
      return record::Outcome::kUnsupported;
    case Code::kOutOfMemory:
      return record::Outcome::kOutOfMemory;
    case Code::kTimedOut:
      return record::Outcome::kTimedOut;
    case Code::kCrashed:
      return record::Outcome::kCrashed;
    case Code::kInterrupted:
      return record::Outcome::kNotRun;
    default:
      return record::Outcome::kFailed;
  }
}

Error Explain(const Death& death) {
  const std::string line = LastLine(death.output);
  const std::string said = line.empty() ? "" : fmt::format("; its last words: {}", line);
  if (WIFSIGNALED(death.wait_status)) {
    const int number = WTERMSIG(death.wait_status);
    if (number == SIGKILL && death.oom_killed) {
      return {Code::kOutOfMemory,
              fmt::format("{} was killed {}: the machine had no memory left", death.worker,
                          During(death)),
              "close other programs, or leave this conversion out"};
    }
    if (death.output.find("std::bad_alloc") != std::string::npos) {
      return {Code::kOutOfMemory,
              fmt::format("{} could not get memory {}{}", death.worker, During(death), said),
              "raise --memory if the machine has more"};
    }
    return {Code::kCrashed,
            fmt::format("{} was killed by signal {} (SIG{}) {}{}", death.worker, number,
                        sigabbrev_np(number), During(death), said),
            ""};
  }
  return {Code::kInternal,
          fmt::format("{} ended with status {} {}{}", death.worker, WEXITSTATUS(death.wait_status),
                      During(death), said),
          ""};
}

std::int64_t OomKills() {
  return std::max(CountIn("/proc/vmstat", "oom_kill"),
                  CountIn("/sys/fs/cgroup/memory.events", "oom_kill"));
}

std::string HowItEnded(int wait_status) {
  if (WIFSIGNALED(wait_status)) {
    const int number = WTERMSIG(wait_status);
    return fmt::format("died of signal {} ({})", number, ::sigdescr_np(number));
  }
  return fmt::format("ended with status {}", WEXITSTATUS(wait_status));
}

std::string LastLine(std::string_view output) {
  const std::vector<std::string> lines = Split(output, '\n');
  for (auto line = lines.rbegin(); line != lines.rend(); ++line) {
    if (line->find_first_not_of(" \t\r") == std::string::npos) {
      continue;
    }
    std::string clean;
    for (const char c : *line) {
      clean += static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? ' ' : c;
    }
    return clean.size() <= kReasonLength ? clean : clean.substr(0, kReasonLength) + " ...";
  }
  return "";
}

}  // namespace assay::campaign
