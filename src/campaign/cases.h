// What the arms of a campaign are: each choice with each number of threads on each model. Pure.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "campaign/setting.h"
#include "conversion/select.h"

namespace assay::campaign {

/// What an arm runs.
struct Case {
  conversion::Choice choice;  // its recipe as it is for this model
  const Setting* setting = nullptr;
  std::size_t model = 0;  // whose references it is held to: Settings::all
};

/// For each choice, model and number of threads one, in this order. The settings outlive them.
std::vector<Case> CasesOf(const Settings& settings, const std::vector<conversion::Choice>& choices);

/// The name asked for, and of the rest what tells it from the others: "ONNX_CPU (2 threads)".
std::string LabelOf(const Case& it, const Settings& settings, bool control);

/// EAGER, as it would run if nothing were said: the first model with the most threads; without it
/// EAGER of another engine, or whatever is first.
std::size_t PreferredBaseline(const std::vector<Case>& cases);

}  // namespace assay::campaign
