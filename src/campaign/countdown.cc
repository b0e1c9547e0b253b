#include "campaign/countdown.h"

#include <algorithm>

namespace assay::campaign {

void Countdown::Tell(const Estimate& estimate) {
  estimate_ = estimate;
  began_ = now_();
  Say("plan: " + Describe(estimate));
}

void Countdown::Update(const Stage& stage) {
  Stage told = stage;
  if (estimate_) {
    told.seconds_left = Left(stage);
  }
  under_.Update(told);
}

double Countdown::Left(const Stage& stage) {
  const bool preparing = stage.name == "prepare" || stage.name == "reference";
  if (!preparing && !measuring_) {
    measuring_ = true;
    began_ = now_();
  }
  const double passed = now_() - began_;
  if (measuring_) {
    return std::max(0.0, estimate_->measure_s - passed);
  }
  const double done = stage.arms_total > 0 ? static_cast<double>(stage.arms_live) /
                                                 static_cast<double>(stage.arms_total)
                                           : 1;
  // Late: what is left takes as long as what is done took.
  const bool late = passed > estimate_->prepare_s * done && done > 0;
  const double left = late ? passed * (1 - done) / done : estimate_->prepare_s - passed;
  return std::max(0.0, left) + estimate_->measure_s;
}

}  // namespace assay::campaign
