// Conversions: the names by which people know ways to run a model, as data. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"

namespace assay::conversion {

/// How an engine is to run a model; what a worker is told instead of a name.
struct Recipe {
  std::string capture;   // "none", "export"
  std::string compiler;  // "eager", "inductor", "aot_inductor", "onnxruntime", "openvino", "fake"
  std::string precision = "fp32";
  bool as_is = false;  // every number in the type that the file has; `precision` is their class
  bool freezing = false;
  std::string graph_optimization = "all";  // "none" for the witness
};

/// One way to serve a conversion: the engine that runs it, and the one that prepares it first.
struct Route {
  std::string engine;    // "torch": assay-engine-torch
  std::string preparer;  // engine whose `prepare` makes the artifact; "" when there is none to make
};

struct Conversion {
  int id = 0;        // the registry's number; additions have 1000 and more
  std::string name;  // "EXPORT+AOT_INDUCTOR"
  std::string description;
  std::string weights, activations;  // "fp32"
  std::string device;                // "CPU"
  Recipe recipe;
  std::vector<Route> routes;  // the first is the default, the others are reached by NAME@ENGINE
};

const std::vector<Conversion>& Registry();

/// An arm as asked for: a conversion on one route. `label` is what was asked: NAME or NAME@ENGINE.
struct Choice {
  Conversion conversion;
  Route route;
  std::string label;
};

/// Whether NAME@fake may be asked for: the engine of tests, with scripted latencies.
enum class TestEngines { kRefused, kAllowed };
inline constexpr const char* kTestEngine = "fake";

/// Parses "A,B@ENGINE,...", case-insensitive, order kept.
/// Errors  kInvalidArgument naming each unknown name with the nearest ones, each engine that cannot
///         run its conversion with those that can, each repeated name.
Result<std::vector<Choice>> Select(std::string_view list,
                                   TestEngines test_engines = TestEngines::kRefused);

/// What `run` measures when nothing is asked for.
std::vector<Choice> DefaultChoices();

Json ToJson(const Recipe& recipe);
Result<Recipe> RecipeFromJson(const Json& json, std::string_view what);

}  // namespace assay::conversion
