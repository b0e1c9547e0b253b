// What the graph alone says that an arm takes on this machine, beside what it took.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <utility>

#include "conversion/recipe.h"
#include "hardware/profile.h"
#include "model/graph.h"
#include "predict/prediction.h"
#include "record/record.h"

namespace assay::campaign {

/// What of a graph all arms have in common is computed once.
class Predictor {
 public:
  /// machine  its profile, with all of its usable cores
  /// threads  that arms run with: so many of the cores are counted
  Predictor(const model::Graph& graph, const hardware::Profile& machine, int threads)
      : graph_(graph), cores_(hardware::OnCores(machine, threads)) {}

  /// median_ms  of one inference of the graph, which must outlive this
  /// Returns nothing when the profile has no rate for the arm's numbers, or not enough memory.
  std::optional<record::Predicted> Of(const conversion::Recipe& recipe, double median_ms);

 private:
  const model::Graph& graph_;
  hardware::Profile cores_;
  std::map<std::pair<predict::EngineKind, std::string>, predict::Work>
      works_;  // and of what numbers
};

}  // namespace assay::campaign
