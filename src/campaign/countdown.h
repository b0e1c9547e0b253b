// The time that is left of a campaign that told a plan: the estimate, less what has passed.
#pragma once

#include <functional>

#include "campaign/estimate.h"
#include "campaign/progress.h"

namespace assay::campaign {

/// Passes everything on; once a plan is told, every stage with the time that is left.
class Countdown final : public Progress {
 public:
  /// now  seconds from an arbitrary start. Both outlive it.
  Countdown(Progress& under, std::function<double()> now) : under_(under), now_(std::move(now)) {}

  void Tell(const Estimate& estimate);
  void Update(const Stage& stage) override;
  void Say(const std::string& line) override { under_.Say(line); }

 private:
  double Left(const Stage& stage);

  Progress& under_;
  std::function<double()> now_;
  std::optional<Estimate> estimate_;
  bool measuring_ = false;
  double began_ = 0;  // the part under way: preparing, or measuring
};

}  // namespace assay::campaign
