#include "engine/flight.h"

#include <numeric>
#include <utility>

#include "engine/sample.h"

namespace assay::engine {

Flight::Flight(int places)
    : free_(static_cast<std::size_t>(places)), began_ns_(static_cast<std::size_t>(places)) {
  std::iota(free_.rbegin(), free_.rend(), 0);
}

int Flight::InFlight() const {
  const std::lock_guard lock(mutex_);
  return places() - static_cast<int>(free_.size());
}

Status Flight::TakeError() {
  return error_.empty() ? Status() : Status(Error{Code::kInternal, std::exchange(error_, ""), ""});
}

Result<int> Flight::Begin() {
  std::unique_lock lock(mutex_);
  ended_.wait(lock, [this] { return !free_.empty(); });
  ASSAY_TRY(TakeError());
  const int place = free_.back();
  free_.pop_back();
  began_ns_[static_cast<std::size_t>(place)] = MonotonicClock()();
  return place;
}

void Flight::End(int place, std::string error) {
  const std::int64_t now = MonotonicClock()();
  const std::lock_guard lock(mutex_);
  if (error.empty()) {
    latencies_ns_.push_back(static_cast<double>(now - began_ns_[static_cast<std::size_t>(place)]));
  } else if (error_.empty()) {
    error_ = std::move(error);
  }
  free_.push_back(place);
  ended_.notify_one();
}

Status Flight::Settle(int most) {
  std::unique_lock lock(mutex_);
  ended_.wait(lock, [&] { return places() - static_cast<int>(free_.size()) <= most; });
  return TakeError();
}

std::vector<double> Flight::TakeLatencies() {
  const std::lock_guard lock(mutex_);
  return std::exchange(latencies_ns_, {});
}

}  // namespace assay::engine
