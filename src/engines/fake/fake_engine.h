// An engine without a runtime: it spins for a scripted time or only says so, answers a function of the inputs, and
// misbehaves on demand. What tests of campaigns run instead of real runtimes.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "engine/engine.h"
#include "engines/fake/script.h"

namespace assay::engine::fake {

class FakeEngine : public Engine {
 public:
  /// protocol_fd  where lies are told; -1 for none
  explicit FakeEngine(int protocol_fd) : protocol_fd_(protocol_fd) {}

  Description Describe() override;
  /// Writes fake.json into the artifact's folder; Load wants to find it there.
  Result<Prepared> Prepare(const Job& job) override;
  Result<Loaded> Load(const Job& job, const tensor::SafetensorsFile& inputs) override;
  Status Infer(int set) override;
  int Places() const override { return places_; }
  int InFlight() const override { return static_cast<int>(flights_.size()); }
  Status Settle(int most) override;
  const std::int64_t* OwnTimeNs() const override {
    return script_.own_clock ? &own_time_ns_ : nullptr;
  }
  std::vector<double> TakeLatencies() override { return std::exchange(latencies_ns_, {}); }
  /// "output": float 1x10, value j the sum over all elements x_i of all inputs of the set, in the
  /// file's order, of w_ij x_i / sqrt(n), with w_ij in [-1, 1] drawn from i and j alone.
  Result<std::vector<tensor::Tensor>> Outputs() override;

 private:
  using Row = std::array<double, 10>;

  /// Counts a call of `stage` and does what is scripted for it.
  Status Enter(Stage stage);
  double NextLatency();
  std::int64_t Now() const;
  void Reach(std::int64_t time_ns);  // spins until then, or sets its own clock

  struct Flight {  // with several places an inference takes its time beside the others
    std::int64_t begin_ns, end_ns;
  };

  int protocol_fd_;
  Script script_;
  std::array<std::int64_t, 5> calls_{};  // by stage
  bool idle_ = true;                     // an inference has nothing to do
  double latency_ns_ = 0;                // of this process
  std::vector<double> noise_;            // factors, used in turn
  std::int64_t inferences_ = 0;
  std::int64_t own_time_ns_ = 0;
  int places_ = 1;
  std::vector<Flight> flights_;
  std::vector<double> latencies_ns_;
  std::vector<Row> answers_;  // by set
  int set_ = 0;
  bool as_float64_ = false;
};

}  // namespace assay::engine::fake
