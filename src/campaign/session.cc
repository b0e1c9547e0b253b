#include "campaign/session.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/text.h"
#include "campaign/outcome.h"
#include "campaign/schedule.h"
#include "stats/stats.h"

namespace assay::campaign {
namespace {

constexpr std::size_t kLoadsAtOnce = 2;
constexpr std::uint64_t kReserveBytes = 512u << 20;  // that loading leaves to everyone else
constexpr int kDiscarded = 1;                        // inferences after waking
constexpr int kMostWarmUpSlices = 20;
constexpr int kFewestWarmUpSlices = 3;
constexpr double kLongestWarmUpS = 3;
constexpr double kMemoryTimeoutS = 60;

/// Errors  kMalformed when the slice does not hold what was asked for.
Result<engine::Slice> ReadSlice(const Json& reply, int count) {
  ASSAY_ASSIGN(engine::Slice slice, engine::SliceFromJson(reply));
  if (slice.samples_ns.size() != static_cast<std::size_t>(count)) {
    return Error{Code::kMalformed,
                 fmt::format("asked for {} samples, got {}", count, slice.samples_ns.size()), ""};
  }
  for (const double ns : slice.samples_ns) {
    if (!std::isfinite(ns) || ns <= 0) {
      return Error{Code::kMalformed, fmt::format("a latency of {} ns was reported", ns), ""};
    }
  }
  return slice;
}

void Add(engine::Charges& sum, const engine::Charges& slice) {
  sum.voluntary_switches += slice.voluntary_switches;
  sum.involuntary_switches += slice.involuntary_switches;
  sum.minor_faults += slice.minor_faults;
  sum.major_faults += slice.major_faults;
  sum.cpu_ns += slice.cpu_ns;
  sum.threads_active = std::max(sum.threads_active, slice.threads_active);
}

}  // namespace

Session::Session(const RoundsPlan& plan, Workshop& workshop, Progress& progress, Measurements& seen,
                 int generation)
    : plan_(plan),
      workshop_(workshop),
      progress_(progress),
      seen_(seen),
      record_(seen.sessions.size()) {
  seen_.sessions.emplace_back().generation = generation;
}

std::vector<std::size_t> Session::Load(const std::vector<std::size_t>& arms, Spares& spares,
                                       bool again) {
  std::vector<Loading> waiting, loading;
  for (const std::size_t arm : arms) {
    if (const auto spare = spares.find(arm); spare != spares.end()) {
      alive_[arm] = std::move(spare->second);
      FinishLoading(arm);
    } else {
      waiting.push_back({arm, false});
    }
  }
  spares.clear();
  for (std::size_t i = 0; again && i < arms.size(); ++i) {
    waiting.push_back({arms[i], true});
  }
  std::vector<std::size_t> left_out;
  while (!waiting.empty() || !loading.empty()) {
    while (!waiting.empty() && loading.size() < kLoadsAtOnce) {
      const Loading next = waiting.front();
      if (!HasRoom(next, loading)) {
        if (!loading.empty()) {
          break;  // its size will be known better soon
        }
        if (!next.ahead) {
          left_out.push_back(next.arm);
        }
      } else if (StartLoading(next.arm, next.ahead ? spares : alive_)) {
        loading.push_back(next);
      }
      waiting.erase(waiting.begin());
    }
    if (!loading.empty()) {
      AwaitOne(loading, spares);
    }
  }
  seen_.sessions[record_].arms = Live();
  return left_out;
}

void Session::AwaitOne(std::vector<Loading>& loading, Spares& spares) {
  std::vector<Worker*> workers;
  for (const auto& [arm, ahead] : loading) {
    workers.push_back((ahead ? spares : alive_).at(arm).get());
  }
  workshop_.WaitAny(workers);
  const auto answered = std::find_if(workers.begin(), workers.end(),
                                     [](const Worker* worker) { return worker->Answered(); });
  const auto at = loading.begin() + (answered - workers.begin());
  const auto [arm, ahead] = *at;
  loading.erase(at);
  if (!ahead) {
    FinishLoading(arm);
  } else if (!spares.at(arm)->Stop().ok()) {
    spares.erase(arm);  // the session that it was for starts one of its own
  }
}

std::uint64_t Session::Expected(std::size_t arm) const {
  const auto& peaks = seen_.arms[arm].peak_rss_bytes;
  return peaks.empty() ? plan_.arms[arm].expected_bytes
                       : *std::max_element(peaks.begin(), peaks.end());
}

bool Session::HasRoom(const Loading& next, const std::vector<Loading>& loading) const {
  // Alone, or alone with the baseline, an arm is tried whatever its size.
  if (!next.ahead && loading.empty() &&
      (alive_.empty() || (alive_.size() == 1 && alive_.contains(plan_.baseline)))) {
    return true;
  }
  std::uint64_t needed = kReserveBytes + Expected(next.arm);
  for (const Loading& other : loading) {
    needed += Expected(other.arm);
  }
  return needed <= workshop_.AvailableBytes();
}

bool Session::StartLoading(std::size_t arm, Spares& into) {
  Tell("load", arm);
  auto worker = workshop_.Start(plan_.arms[arm].worker);
  if (!worker.ok()) {
    End(arm, "load", worker.error());
    return false;
  }
  (*worker)->Send(engine::MakeRequest("load", engine::ToJson(plan_.arms[arm].job)),
                  plan_.timeouts.load_s);
  into[arm] = *std::move(worker);
  return true;
}

void Session::FinishLoading(std::size_t arm) {
  Worker& worker = *alive_.at(arm);
  Result<Json> reply = worker.Receive();
  if (!reply.ok()) {
    return End(arm, "load", reply.error());
  }
  Result<engine::Loaded> loaded = engine::LoadedFromJson(*reply);
  if (!loaded.ok()) {
    return End(arm, "load", loaded.error());
  }
  Log(arm).load_s.push_back(loaded->seconds);
  if (!Log(arm).loaded) {
    Log(arm).loaded = *std::move(loaded);
  }
  if (const Status stopped = worker.Stop(); !stopped.ok()) {
    End(arm, "load", stopped.error());
  }
}

void Session::FirstInferences() {
  for (const std::size_t arm : Live()) {
    Tell("load", arm);
    const auto slice = TakeSlice(arm, "load", 0, {.count = 1, .batch = 1}, plan_.timeouts.load_s);
    if (!slice) {
      continue;
    }
    Log(arm).first_inference_ns.push_back(slice->samples_ns.front());
    seen_.clock_floor_ns = slice->clock_floor_ns;
    if (Log(arm).last_median_ns == 0) {
      Log(arm).last_median_ns = slice->samples_ns.front();
    }
    if (Log(arm).outputs.empty()) {
      const std::filesystem::path path = plan_.outputs / fmt::format("{}.safetensors", arm);
      Json arguments = {{"path", path.string()}};
      if (Ask(arm, "outputs", engine::MakeRequest("outputs", arguments), plan_.timeouts.load_s)) {
        Log(arm).outputs = path;
      }
    }
  }
}

void Session::WarmUp(std::optional<double> deadline_s) {
  for (const std::size_t arm : Live()) {
    WarmUpArm(arm, deadline_s);
  }
  std::vector<Pace> paces;
  for (const std::size_t arm : Live()) {
    paces.push_back(PaceOf(arm));
  }
  const std::vector<SliceSize> sizes = SliceSizes(paces);
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    ArmLog& log = Log(Live()[i]);
    if (log.slice_medians_ns.empty()) {  // all processes of an arm take slices of one size
      log.size = sizes[i];
    }
  }
}

void Session::WarmUpArm(std::size_t arm, std::optional<double> deadline_s) {
  const double began = workshop_.Now();
  std::vector<double> medians;
  bool steady = false;
  while (!steady && !stats::NoLongerFalls(medians) && medians.size() < kMostWarmUpSlices) {
    Tell("warm-up", arm);
    const SliceSize size = WarmUpSize(PaceOf(arm));
    const auto slice = TakeSlice(arm, "warm-up", Discarded(arm, 0), size, SliceTimeout(arm, size));
    if (!slice) {
      return;
    }
    medians.push_back(stats::Median(slice->samples_ns));
    Log(arm).last_median_ns = medians.back();
    steady = stats::IsSteady(medians);
    const double now = workshop_.Now();
    const bool late = deadline_s && now - lost_s_ > *deadline_s;
    if (late || (now - began > kLongestWarmUpS && medians.size() >= kFewestWarmUpSlices)) {
      break;
    }
  }
  Log(arm).steady.push_back(steady);
}

void Session::Round(std::mt19937_64& random) {
  std::vector<std::size_t> order = Live();
  for (std::size_t i = order.size(); i > 1; --i) {  // Fisher and Yates
    std::swap(order[i - 1], order[random() % i]);
  }
  std::map<std::size_t, double> values;
  for (const std::size_t arm : order) {
    ArmLog& log = Log(arm);
    const std::int64_t steal = workshop_.StealTicks();
    const auto slice =
        TakeSlice(arm, "timing", Discarded(arm, kDiscarded), log.size, SliceTimeout(arm, log.size));
    if (!slice) {
      continue;
    }
    log.steal_ticks += workshop_.StealTicks() - steal;
    Add(log.charges, slice->charges);
    log.samples_ns.insert(log.samples_ns.end(), slice->samples_ns.begin(), slice->samples_ns.end());
    log.last_median_ns = stats::Median(slice->samples_ns);
    log.slice_medians_ns.push_back(log.last_median_ns);
    values[arm] = log.last_median_ns / plan_.arms[arm].inputs;
    if (!slice->latencies_ns.empty()) {
      log.latencies_ns.insert(log.latencies_ns.end(), slice->latencies_ns.begin(),
                              slice->latencies_ns.end());
      log.slice_latencies_ns.push_back(stats::Median(slice->latencies_ns));
    }
  }
  std::vector<std::optional<double>> round;
  for (const std::size_t arm : seen_.sessions[record_].arms) {
    round.push_back(values.contains(arm) ? std::optional(values[arm]) : std::nullopt);
  }
  seen_.sessions[record_].rounds.push_back(std::move(round));
}

void Session::ReadMemory(std::size_t arm) {
  const auto reply =
      Ask(arm, "timing", engine::MakeRequest("memory", {{"reset", false}}), kMemoryTimeoutS);
  const auto memory = reply ? engine::MemoryFromJson(*reply) : Error{};
  if (memory.ok()) {
    Log(arm).peak_rss_bytes.push_back(memory->peak_rss_bytes);
    Log(arm).file_rss_bytes.push_back(memory->file_bytes);
  }
}

void Session::Close(std::size_t arm) {
  ReadMemory(arm);
  if (const auto worker = alive_.find(arm); worker != alive_.end()) {
    worker->second->Close();
    alive_.erase(worker);
  }
}

void Session::Close() {
  for (const std::size_t arm : Live()) {
    Close(arm);
  }
}

std::vector<std::size_t> Session::Live() const {
  std::vector<std::size_t> live;
  for (const auto& [arm, worker] : alive_) {
    live.push_back(arm);
  }
  return live;
}

Pace Session::PaceOf(std::size_t arm) const {
  const ArmLog& log = seen_.arms[arm];
  return {.inference_ns = log.last_median_ns, .places = log.loaded ? log.loaded->places : 1};
}

int Session::Discarded(std::size_t arm, int usual) const {
  const int places = PaceOf(arm).places;
  return places > 1 ? 2 * places : usual;
}

double Session::SliceTimeout(std::size_t arm, SliceSize size) const {
  const double inferences =
      static_cast<double>(size.count) * size.batch + Discarded(arm, kDiscarded) * size.batch;
  return std::max(plan_.timeouts.slice_s,
                  plan_.timeouts.slice_factor * inferences * seen_.arms[arm].last_median_ns * 1e-9);
}

std::optional<engine::Slice> Session::TakeSlice(std::size_t arm, const char* stage, int discard,
                                                SliceSize size, double seconds) {
  const Json arguments = {{"discard", discard}, {"count", size.count}, {"batch", size.batch}};
  const double began = workshop_.Now();
  const auto reply = Ask(arm, stage, engine::MakeRequest("infer", arguments), seconds);
  if (!reply) {
    lost_s_ += workshop_.Now() - began;
    return std::nullopt;
  }
  Result<engine::Slice> slice = ReadSlice(*reply, size.count);
  if (!slice.ok()) {
    End(arm, stage, slice.error());
    return std::nullopt;
  }
  return *std::move(slice);
}

std::optional<Json> Session::Ask(std::size_t arm, const char* stage, const Json& request,
                                 double seconds) {
  Worker& worker = *alive_.at(arm);
  worker.Continue();
  Result<Json> reply = worker.Ask(request, seconds);
  const Status stopped = reply.ok() ? worker.Stop() : Status();
  if (!reply.ok() || !stopped.ok()) {
    End(arm, stage, reply.ok() ? stopped.error() : reply.error());
    return std::nullopt;
  }
  return *std::move(reply);
}

void Session::End(std::size_t arm, const char* stage, const Error& error) {
  alive_.erase(arm);
  if (error.code == Code::kInterrupted) {
    return;  // said once, for all arms, when the record is written
  }
  Log(arm).end = {.outcome = OutcomeOf(error.code),
                  .reason = error.message,
                  .hint = error.hint,
                  .stage = stage};
  progress_.Say(fmt::format("{}: {} ({})", plan_.arms[arm].label,
                            record::Name(Log(arm).end->outcome), error.message));
}

void Session::Tell(const char* stage, std::size_t arm) {
  progress_.Update({.name = stage,
                    .arm = plan_.arms[arm].label,
                    .arms_live = static_cast<int>(alive_.size()),
                    .arms_total = static_cast<int>(plan_.arms.size())});
}

}  // namespace assay::campaign
