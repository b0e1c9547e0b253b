// Holds the outputs that arms wrote against the references of their models.
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "campaign/assemble.h"
#include "campaign/cases.h"
#include "campaign/outputs.h"
#include "campaign/reference.h"

namespace assay::campaign {

/// The references outlive it; `computed` is of each model.
class Judges {
 public:
  Judges(const std::vector<Case>& cases, const Findings& findings,
         const std::vector<ComputedReferences>& computed)
      : cases_(cases), findings_(findings), computed_(computed) {}

  /// Whether the arm is fit to be the fastest, from the outputs of its first process: they are
  /// right, and it is what was asked for. Asked once of each arm.
  bool MayLead(std::size_t arm);

  struct Sentence {
    std::vector<Judgement> judgements;                      // as many as arms
    std::string lowering_suspect;                           // Verdict::lowering_suspect
    std::vector<std::pair<std::size_t, Error>> unreadable;  // arms whose outputs cannot be read
  };
  Sentence Judge() const;

 private:
  /// Nothing where the arm wrote none.
  std::optional<Result<Outputs>> OutputsOf(std::size_t arm) const;
  ArmOutputs ForJudgement(std::size_t arm, const Outputs* outputs) const;
  Verdict Hold(std::size_t model, const std::vector<ArmOutputs>& arms) const;

  const std::vector<Case>& cases_;
  const Findings& findings_;
  const std::vector<ComputedReferences>& computed_;
  std::map<std::size_t, bool> may_lead_;  // of those that were asked about
};

}  // namespace assay::campaign
