#include "campaign/cases.h"

#include <fmt/format.h>

#include <functional>
#include <optional>

#include "base/text.h"

namespace assay::campaign {
namespace {

using Matches = std::function<bool(const conversion::Choice&)>;

/// The first that matches, but of those like it the one with the most threads.
std::optional<std::size_t> Find(const std::vector<Case>& cases, const Matches& matches) {
  std::optional<std::size_t> found;
  for (std::size_t i = 0; i < cases.size(); ++i) {
    const Case& it = cases[i];
    const bool better = !found || (it.choice.label == cases[*found].choice.label &&
                                   it.model == cases[*found].model &&
                                   it.setting->threads > cases[*found].setting->threads);
    if (matches(it.choice) && better) {
      found = i;
    }
  }
  return found;
}

}  // namespace

std::vector<Case> CasesOf(const Settings& settings,
                          const std::vector<conversion::Choice>& choices) {
  std::vector<Case> cases;
  for (const conversion::Choice& choice : choices) {
    for (std::size_t model = 0; model < settings.all.size(); ++model) {
      for (const Setting& setting : settings.all[model]) {
        cases.push_back({.choice = choice, .setting = &setting, .model = model});
        conversion::Recipe& recipe = cases.back().choice.conversion.recipe;
        recipe = setting.ForArm(recipe);
      }
    }
  }
  return cases;
}

std::string LabelOf(const Case& it, const Settings& settings, bool control) {
  std::vector<std::string> own;
  if (settings.all.front().size() > 1) {
    const int threads = it.setting->threads;
    own.push_back(fmt::format("{} thread{}", threads, threads == 1 ? "" : "s"));
  }
  if (settings.all.size() > 1) {
    own.push_back(fmt::format("batch {}", model::BatchOf(it.setting->model.graph)));
  }
  if (control) {
    own.emplace_back("control");
  }
  return own.empty() ? it.choice.label : fmt::format("{} ({})", it.choice.label, Join(own, ", "));
}

std::size_t PreferredBaseline(const std::vector<Case>& cases) {
  if (const auto eager = Find(cases, [](const auto& c) { return c.label == "EAGER"; })) {
    return *eager;
  }
  const auto other = Find(cases, [](const auto& c) { return c.conversion.name == "EAGER"; });
  return other.value_or(0);
}

}  // namespace assay::campaign
