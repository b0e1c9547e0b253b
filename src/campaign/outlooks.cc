#include "campaign/outlooks.h"

#include "campaign/history.h"
#include "campaign/preparation.h"

namespace assay::campaign {

std::vector<Outlook> OutlooksOf(const Setting& setting,
                                const std::vector<conversion::Choice>& choices) {
  const model::Model& model = setting.model;
  const History history = ReadHistory(setting.around.home, model.name, model.sha256,
                                      setting.around.machine.cpu, setting.threads);
  const Assumed assumed{.eager_s = AssumedLatency(static_cast<double>(model.macs), setting.threads),
                        .nodes = static_cast<double>(model.graph.nodes.size())};
  std::vector<Outlook> outlooks;
  for (const conversion::Choice& choice : choices) {
    const std::string& preparer = choice.route.preparer;
    const bool prepares = !preparer.empty() && setting.Able(preparer).ok() &&
                          !IsPrepared(setting.PreparationOf(choice), setting.Artifacts());
    const auto known = history.find(choice.label);
    outlooks.push_back(OutlookOf(choice.conversion.recipe, choice.route.engine == "pytorch",
                                 known == history.end() ? Past{} : known->second, prepares,
                                 assumed));
    outlooks.back().prepared = !prepares;
  }
  return outlooks;
}

}  // namespace assay::campaign
