// The arms of one campaign and the stages that they go through: what is known of each, what became
// of it, until numbers and judgements are there to make a record of (assemble.h).
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "campaign/assemble.h"
#include "campaign/process.h"
#include "campaign/progress.h"
#include "campaign/session.h"
#include "campaign/setting.h"
#include "conversion/select.h"

namespace assay::campaign {

/// Its functions are the stages, to be called in this order.
class Arms {
 public:
  /// The references outlive it.
  Arms(const Setting& setting, std::vector<conversion::Choice> choices, ProcessWorkshop& workshop,
       Progress& progress);

  void Plan();           // who they are; those that cannot run here end
  bool AnyLeft() const;  // that has not ended
  void Prepare();
  std::vector<conversion::Recipe> Plains() const;  // that arms left are to be held to
  void Measure(std::uint64_t reference_peak_bytes);
  void Judge(const References& references);
  void Predict(record::Run& run) const;  // beside what was measured
  Findings& findings() { return findings_; }

 private:
  void Add(const conversion::Choice& choice, bool control);
  void End(std::size_t arm, const char* stage, const Error& error);
  void PrepareOne(std::size_t arm);

  const Setting& setting_;
  std::vector<conversion::Choice> choices_;
  ProcessWorkshop& workshop_;
  Progress& progress_;
  RoundsPlan plan_;    // as many arms as choices,
  Findings findings_;  // and here
};

}  // namespace assay::campaign
