// Inferences in flight: the places of an engine that runs several requests at a time. It hands out
// free places, takes them back from whatever thread a request ends in, and knows how long each
// request took, from its start to its end. What runs in a place is the engine's matter.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <string>
#include <vector>

#include "base/result.h"

namespace assay::engine {

class Flight {
 public:
  /// places  1 and more
  explicit Flight(int places);
  Flight(const Flight&) = delete;
  Flight& operator=(const Flight&) = delete;

  int places() const { return static_cast<int>(began_ns_.size()); }
  int InFlight() const;

  /// A free place, waited for; its inference begins when this returns.
  /// Errors  what an inference that ended meanwhile failed with.
  Result<int> Begin();
  /// The inference in `place` has ended; "" for well. From any thread.
  void End(int place, std::string error);
  /// Waits until no more than `most` are in flight. Errors  as Begin.
  Status Settle(int most);
  /// Of the inferences that have ended well since the last call: nanoseconds, as they ended.
  std::vector<double> TakeLatencies();

 private:
  Status TakeError();

  mutable std::mutex mutex_;
  std::condition_variable ended_;
  std::vector<int> free_;
  std::vector<std::int64_t> began_ns_;  // by place
  std::vector<double> latencies_ns_;
  std::string error_;  // the first since it was last told
};

}  // namespace assay::engine
