// One generation of fresh processes: arms loaded side by side as far as memory allows, warmed up,
// taking turns, closed. Writes what it sees into Measurements; decides nothing about how long.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "campaign/measurements.h"
#include "campaign/progress.h"
#include "campaign/schedule.h"
#include "campaign/worker.h"
#include "engine/protocol.h"

namespace assay::campaign {

struct ArmPlan {
  std::string label;
  WorkerSpec worker;
  engine::Job job;
  std::uint64_t expected_bytes = 0;  // resident, before any process of the arm was seen
  bool stays = false;                // is never cut: it is there for another purpose than to win
  bool brief = false;                // known to be slow: a few rounds of one process must do
  bool for_throughput = false;       // several inferences at a time: ranked apart
  int contest = 0;                   // arms of one are to be told apart (standings.h)
  double inputs = 1;                 // of an inference: what is compared is time per input
};

struct Timeouts {
  double prepare_s = 1800;
  double load_s = 300;
  double slice_s = 60;
  double slice_factor = 20;  // times the expected time, when that is longer
};

/// What is to be measured, and how thoroughly.
struct RoundsPlan {
  std::vector<ArmPlan> arms;
  std::size_t baseline = 0;  // index into arms
  int samples = 128;         // timed inferences of an arm, at least
  int processes = 3;
  double precision_target = 0.01;
  Goal goal = Goal::kDeciding;
  int most_rounds = 80;  // no look beyond
  bool ahead = false;    // processes of the next generation load beside those of this one
  std::size_t heat = 0;  // arms of a group of the first generation, at most; 0: all
  double cut = 0;        // times slower than the leader, from which an arm is cut; 0: never
  std::function<bool(std::size_t arm)> may_lead{};  // from its outputs; empty: all may
  double budget_s = 0;                              // for warm-up and rounds; 0: none
  std::uint64_t seed = 0;
  Timeouts timeouts;
  std::filesystem::path outputs;  // folder, there already
};

/// By arm: processes that were loaded beside those of an earlier session, stopped since; whether
/// loading succeeded is still to be received.
using Spares = std::map<std::size_t, std::unique_ptr<Worker>>;

class Session {
 public:
  Session(const RoundsPlan& plan, Workshop& workshop, Progress& progress, Measurements& seen,
          int generation = 0);

  /// Starts and loads `arms`, two at a time; gives those back that memory has no room for. Takes
  /// those of `spares`, and leaves processes for another session there if `again`, where memory has
  /// room for them.
  std::vector<std::size_t> Load(const std::vector<std::size_t>& arms, Spares& spares, bool again);
  void FirstInferences();  // timed alone; outputs of all input sets written for the verdict
  /// deadline_s  in the workshop's time without lost_s: warm-ups end there, after a slice each
  void WarmUp(std::optional<double> deadline_s);
  /// One turn each in random order; the values become a round of the session.
  void Round(std::mt19937_64& random);
  void Close(std::size_t arm);  // peak memory, then the end of its process
  void Close();                 // of all

  std::vector<std::size_t> Live() const;
  /// Waited for slices that never came: an arm that hangs costs the others none of their budget.
  double lost_s() const { return lost_s_; }

 private:
  struct Loading {
    std::size_t arm = 0;
    bool ahead = false;  // a spare
  };
  void AwaitOne(std::vector<Loading>& loading, Spares& spares);
  bool HasRoom(const Loading& next, const std::vector<Loading>& loading) const;
  std::uint64_t Expected(std::size_t arm) const;
  bool StartLoading(std::size_t arm, Spares& into);
  void FinishLoading(std::size_t arm);
  void ReadMemory(std::size_t arm);
  void WarmUpArm(std::size_t arm, std::optional<double> deadline_s);
  Pace PaceOf(std::size_t arm) const;
  /// Inferences that take all places of an arm with several, twice; else `usual`.
  int Discarded(std::size_t arm, int usual) const;
  std::optional<engine::Slice> TakeSlice(std::size_t arm, const char* stage, int discard,
                                         SliceSize size, double seconds);
  double SliceTimeout(std::size_t arm, SliceSize size) const;
  /// One request to an arm that is woken for it; on failure the arm ends at `stage`.
  std::optional<Json> Ask(std::size_t arm, const char* stage, const Json& request, double seconds);
  void End(std::size_t arm, const char* stage, const Error& error);
  void Tell(const char* stage, std::size_t arm);
  ArmLog& Log(std::size_t arm) { return seen_.arms[arm]; }

  const RoundsPlan& plan_;
  Workshop& workshop_;
  Progress& progress_;
  Measurements& seen_;
  std::map<std::size_t, std::unique_ptr<Worker>> alive_;
  std::size_t record_;  // index of this session in seen_.sessions
  double lost_s_ = 0;
};

}  // namespace assay::campaign
