#include "campaign/choose_inputs.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <vector>

#include "campaign/draw.h"
#include "campaign/finite.h"
#include "campaign/outcome.h"
#include "campaign/reference.h"

namespace assay::campaign {
namespace {

/// How the model fares on its inputs: an error when no reference can be had at all, nothing when
/// these inputs make it fail.
Result<std::optional<NonFinite>> Try(const Setting& setting, Workshop& workshop,
                                     Progress& progress) {
  const Result<std::vector<Outputs>> references = FirstReferences(setting, workshop, progress);
  if (!references.ok()) {
    return OutcomeOf(references.error().code) == record::Outcome::kFailed
               ? Result<std::optional<NonFinite>>(std::nullopt)
               : references.error();
  }
  NonFinite most;
  for (const Outputs& outputs : *references) {
    most = std::max(most, CountNonFinite(outputs));
  }
  return std::optional(most);
}

bool IsFinite(const std::optional<NonFinite>& seen) {
  return seen && seen->nan == 0 && seen->infinite == 0;
}

bool Better(const std::optional<NonFinite>& seen, const std::optional<NonFinite>& than) {
  return seen && (!than || *seen < *than);
}

std::string WordsFor(const std::optional<NonFinite>& seen) {
  return !seen ? "fails" : seen->nan > 0 ? "gives NaN" : "gives infinities";
}

Status ChooseFor(std::vector<Setting>& of_model, Setting& setting, Workshop& workshop,
                 Progress& progress) {
  const Result<std::optional<NonFinite>> first = Try(setting, workshop, progress);
  if (!first.ok() || IsFinite(*first) || !setting.inputs.AnyDrawn()) {
    return {};
  }
  std::optional<NonFinite> best = *first;
  int chosen = 0;
  for (int gentleness = 1; gentleness <= kGentlest && !IsFinite(best); ++gentleness) {
    ASSAY_TRY(DrawAgain(setting, gentleness));
    const auto seen = Try(setting, workshop, progress);
    if (seen.ok() && Better(*seen, best)) {
      best = *seen;
      chosen = gentleness;
    }
  }
  for (Setting& one : of_model) {
    ASSAY_TRY(DrawAgain(one, chosen));
  }
  if (chosen > 0) {
    progress.Say(
        fmt::format("on random inputs as they are usually drawn this model {}: drawn again, "
                    "more gently",
                    WordsFor(*first)));
  }
  return {};
}

}  // namespace

Status ChooseInputs(Settings& settings, Workshop& workshop, Progress& progress) {
  for (std::size_t model = 0; model < settings.all.size(); ++model) {
    const bool drawn = !settings.all[model].front().inputs.file.empty();  // some arm may run here
    if (drawn && workshop.signal() == 0) {
      ASSAY_TRY(ChooseFor(settings.all[model], settings.ForReferences(model), workshop, progress));
    }
  }
  return {};
}

}  // namespace assay::campaign
