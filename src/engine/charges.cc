#include "engine/charges.h"

#include <sys/resource.h>
#include <time.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <string>
#include <vector>

namespace assay::engine {
namespace {

std::vector<pid_t> Threads() {
  std::vector<pid_t> threads;
  std::error_code error;  // a thread that ends while we look is no error
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/task", error)) {
    const std::string name = entry.path().filename();
    pid_t thread = 0;
    std::from_chars(name.data(), name.data() + name.size(), thread);
    threads.push_back(thread);
  }
  return threads;
}

std::int64_t ClockNs(clockid_t clock) {
  timespec time{};
  ::clock_gettime(clock, &time);
  return time.tv_sec * 1'000'000'000 + time.tv_nsec;
}

/// The CPU clock of any thread of this process. Exact to the moment, where /proc/self/task/*/stat
/// counts ticks and schedstat leaves out the current one.
/// Source  linux/posix-timers_types.h, MAKE_THREAD_CPUCLOCK(tid, CPUCLOCK_SCHED)
clockid_t ThreadClock(pid_t thread) {
  constexpr unsigned kPerThread = 4, kSched = 2;
  return static_cast<clockid_t>((~static_cast<unsigned>(thread) << 3) | kPerThread | kSched);
}

}  // namespace

ChargesReading ReadChargesNow() {
  ChargesReading now;
  for (const pid_t thread : Threads()) {
    now.thread_ns[thread] = ClockNs(ThreadClock(thread));
  }
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  now.total = {.voluntary_switches = usage.ru_nvcsw,
               .involuntary_switches = usage.ru_nivcsw,
               .minor_faults = usage.ru_minflt,
               .major_faults = usage.ru_majflt,
               .cpu_ns = ClockNs(CLOCK_PROCESS_CPUTIME_ID)};
  return now;
}

Charges Between(const ChargesReading& before, const ChargesReading& after) {
  std::vector<std::int64_t> used;
  for (const auto& [thread, ns] : after.thread_ns) {
    const auto found = before.thread_ns.find(thread);
    used.push_back(ns - (found == before.thread_ns.end() ? 0 : found->second));
  }
  const std::int64_t most = used.empty() ? 0 : *std::max_element(used.begin(), used.end());
  return {
      .voluntary_switches = after.total.voluntary_switches - before.total.voluntary_switches,
      .involuntary_switches = after.total.involuntary_switches - before.total.involuntary_switches,
      .minor_faults = after.total.minor_faults - before.total.minor_faults,
      .major_faults = after.total.major_faults - before.total.major_faults,
      .cpu_ns = after.total.cpu_ns - before.total.cpu_ns,
      .threads_active = static_cast<int>(std::count_if(
          used.begin(), used.end(), [&](std::int64_t ns) { return ns > 0 && ns * 100 >= most; }))};
}

int CountThreads() { return static_cast<int>(Threads().size()); }

}  // namespace assay::engine
