#include "cli/status.h"

#include <fmt/format.h>

#include <algorithm>

#include "cli/terminal.h"

namespace assay::cli {

int ExitStatus(Code code) {
  switch (code) {
    case Code::kInvalidArgument:
    case Code::kMalformed:
    case Code::kNotFound:
      return kUsage;
    case Code::kUnsupported:
    case Code::kUnavailable:
      return kNothingRuns;
    case Code::kInterrupted:
      return kInterrupted;
    case Code::kIo:
    case Code::kTimedOut:
    case Code::kOutOfMemory:
    case Code::kCrashed:
    case Code::kInternal:
      return kOwnFailure;
  }
  return kOwnFailure;
}

int ExitStatus(const record::Run& run) {
  const auto count = [&](record::Outcome outcome) {
    return static_cast<std::size_t>(
        std::count_if(run.arms.begin(), run.arms.end(),
                      [&](const record::Arm& a) { return a.outcome == outcome; }));
  };
  const std::size_t measured = count(record::Outcome::kMeasured);
  const std::size_t unsupported = count(record::Outcome::kUnsupported);
  if (measured + unsupported < run.arms.size()) {
    return kArmFailed;
  }
  return measured > 0 ? kGood : kNothingRuns;
}

void PrintError(const Error& error) {
  Say(fmt::format("assay: error: {}", error.message));
  if (!error.hint.empty()) {
    Say(fmt::format("  hint: {}", error.hint));
  }
  if (error.hint.empty() || ExitStatus(error.code) != kUsage) {
    Say("  more: docs/troubleshooting.md");
  }
}

}  // namespace assay::cli
