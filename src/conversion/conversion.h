// Conversions: the names by which people know ways to run a model, as data. Pure. How a name is
// made of parts is in parts.h, what of it runs on a machine in legality.h.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "conversion/recipe.h"

namespace assay::conversion {

/// One way to serve a conversion: the engine that runs it, and the one that prepares it first.
struct Route {
  std::string engine;    // "torch": assay-engine-torch
  std::string preparer;  // engine whose `prepare` makes the artifact; "" when there is none to make
};

/// How a conversion stands, whatever the machine.
enum class Standing {
  kRuns,
  kNeedsCuda,
  kExplained,  // nobody can run it any more; `why` says it
};

struct Conversion {
  int id = 0;        // the registry's number; additions have kFirstAddition and more
  std::string name;  // "EXPORT+AOT_INDUCTOR"
  std::string description;
  std::string weights, activations;  // "fp32"
  std::string device;                // "CPU", "CUDA", "XLA"
  Recipe recipe;
  std::vector<Route> routes;  // the first is the default, the others are reached by NAME@ENGINE
  Standing standing = Standing::kRuns;
  std::string why = {};                        // of kExplained
  std::vector<std::string> steps = {};         // what is done to the model, in order
  std::vector<std::string> alternatives = {};  // conversions that come nearest to it, best first
  std::string alias = {};                      // a second spelling that is understood, or ""
};

inline constexpr int kFirstAddition = 1000;  // ids below are the ones that users know

/// The names that users know, by id, then what was added to them.
const std::vector<Conversion>& Registry();

/// The conversion of this name (case is ignored) or number; null when there is none.
const Conversion* Find(std::string_view name_or_id);

}  // namespace assay::conversion
