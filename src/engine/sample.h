// The clock. The one place where two readings of it around an inference are subtracted; nothing
// else stands between the two. Templates, so that the clock is injected in tests at no cost here.
#pragma once

#include <time.h>

#include <algorithm>
#include <array>
#include <cstdint>

#include "base/result.h"

namespace assay::engine {

/// Nanoseconds of CLOCK_MONOTONIC.
struct MonotonicClock {
  std::int64_t operator()() const {
    timespec now;
    ::clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1'000'000'000 + now.tv_nsec;
  }
};

/// Of an engine that has a time of its own: see Engine::OwnTimeNs.
struct OwnClock {
  const std::int64_t* now_ns;
  std::int64_t operator()() const { return *now_ns; }
};

/// Goes round the input sets 0 .. count-1 for ever.
class Rotation {
 public:
  explicit Rotation(int count) : count_(count) {}
  int Next() {
    const int set = next_;
    next_ = next_ + 1 == count_ ? 0 : next_ + 1;
    return set;
  }

 private:
  int count_;
  int next_ = 0;
};

/// One sample: `batch` inferences between two readings, divided by `batch`; nanoseconds.
///
/// infer  called with the input set, returns Status
/// Errors  those of `infer`; the first one ends the sample.
template <typename Clock, typename Infer>
Result<double> TimeSample(const Clock& clock, const Infer& infer, Rotation& sets, int batch) {
  const int first = sets.Next();
  const std::int64_t begin = clock();
  Status status = infer(first);
  for (int i = 1; i < batch && status.ok(); ++i) {
    status = infer(sets.Next());
  }
  const std::int64_t end = clock();
  if (!status.ok()) {
    return std::move(status).error();
  }
  return static_cast<double>(end - begin) / batch;
}

/// One sample of an engine with several places: as TimeSample, but it ends once as many inferences
/// are in flight as when it began. So `batch` of them were completed in between, and where all
/// places were taken before they stay so: the time per inference is what its throughput comes to.
///
/// settle  waits until no more are in flight than when the sample began, returns Status
template <typename Clock, typename Infer, typename Settle>
Result<double> TimeCompletions(const Clock& clock, const Infer& infer, const Settle& settle,
                               Rotation& sets, int batch) {
  const int first = sets.Next();
  const std::int64_t begin = clock();
  Status status = infer(first);
  for (int i = 1; i < batch && status.ok(); ++i) {
    status = infer(sets.Next());
  }
  if (status.ok()) {
    status = settle();
  }
  const std::int64_t end = clock();
  if (!status.ok()) {
    return std::move(status).error();
  }
  return static_cast<double>(end - begin) / batch;
}

/// Median of readings of the clock twice around nothing, nanoseconds: what a sample cannot fall
/// below, and what it holds besides the inference.
template <typename Clock>
double ClockFloor(const Clock& clock) {
  std::array<std::int64_t, 101> floors;
  for (std::int64_t& floor : floors) {
    const std::int64_t begin = clock();
    floor = clock() - begin;
  }
  std::nth_element(floors.begin(), floors.begin() + floors.size() / 2, floors.end());
  return static_cast<double>(floors[floors.size() / 2]);
}

}  // namespace assay::engine
