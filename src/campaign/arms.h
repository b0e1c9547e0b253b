// The arms of one campaign and the stages that they go through: what is known of each, what became
// of it, until numbers and judgements are there to make a record of (assemble.h).
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "campaign/assemble.h"
#include "campaign/cases.h"
#include "campaign/estimate.h"
#include "campaign/journal.h"
#include "campaign/process.h"
#include "campaign/progress.h"
#include "campaign/reference.h"
#include "campaign/session.h"
#include "campaign/setting.h"
#include "conversion/select.h"

namespace assay::campaign {

/// Its functions are the stages, to be called in this order.
class Arms {
 public:
  /// An arm for each choice, model and number of threads, in this order. The references outlive it.
  Arms(const Settings& settings, const std::vector<conversion::Choice>& choices,
       ProcessWorkshop& workshop, Progress& progress);

  void Plan();                // who they are; those that cannot run here end
  Estimate Outlooks() const;  // what is to be expected of those left
  campaign::Identity Identity() const;
  /// Goes on from what the journal has, and keeps in it what comes. began  in the workshop's time
  void GoOn(Journal& journal, double began);
  bool AnyLeft() const;  // that has not ended
  void Prepare();
  std::vector<conversion::Recipe> Plains() const;  // that arms left are to be held to
  /// computed  of each model
  void Measure(const std::vector<ComputedReferences>& computed);
  void Judge(const std::vector<ComputedReferences>& computed);
  void Predict(record::Run& run) const;  // beside what was measured
  Findings& findings() { return findings_; }

 private:
  void Keep(const Course& course);
  void Add(const Case& it, bool control);
  void End(std::size_t arm, const char* stage, const Error& error);
  bool IsLeft(std::size_t arm) const { return !findings_.seen.arms[arm].end; }
  bool IsToPrepare(std::size_t arm) const;
  /// Of a process; 0 where nothing is known of the reference's.
  std::uint64_t ExpectedBytes(std::uint64_t reference_peak_bytes) const;
  /// Adds to what is wrong of an engine's output where in the graph it begins.
  void LocateFaults();
  void PlanRounds(const std::vector<ComputedReferences>& computed);

  const Settings& settings_;
  const Setting& setting_;  // the first: for what all have in common
  std::vector<Case> cases_;
  ProcessWorkshop& workshop_;
  Progress& progress_;
  RoundsPlan plan_;    // as many arms as cases,
  Findings findings_;  // and here
  Course course_;      // of the measurement
  Journal* journal_ = nullptr;
  double began_ = 0;  // this campaign, were it one process; in the workshop's time
};

}  // namespace assay::campaign
