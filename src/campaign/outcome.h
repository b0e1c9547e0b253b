// How a worker's end is explained, and which outcome the code of an error means for an arm.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "record/record.h"

namespace assay::campaign {

/// The outcome of an arm whose worker's request ended with an error of this code.
record::Outcome OutcomeOf(Code code);

struct Death {
  std::string worker;       // "assay-engine-torch"
  std::string verb;         // request it was serving; "" for none
  int wait_status = 0;      // as waitpid gives it
  bool oom_killed = false;  // the kernel's count of OOM kills has risen
  std::string output;       // the end of what it printed
};
Error Explain(const Death& death);

/// OOM kills that the kernel has counted, on this machine or in this cgroup; 0 when it does not
/// say.
std::int64_t OomKills();

/// "died of signal 11 (Segmentation fault)", "ended with status 1".
std::string HowItEnded(int wait_status);

/// The last line of `output` that says something, shortened to fit a reason; "" when none does.
std::string LastLine(std::string_view output);

}  // namespace assay::campaign
