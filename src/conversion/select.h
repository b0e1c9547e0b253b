// The grammar by which conversions are asked for: names, numbers, patterns and exclusions. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "conversion/conversion.h"
#include "conversion/legality.h"

namespace assay::conversion {

/// An arm as asked for: a conversion on one route. `label` is what was asked: NAME or NAME@ENGINE.
struct Choice {
  Conversion conversion;
  Route route;
  std::string label;
  std::string left_out = {};  // why it is not to be run although it could, "" for nothing
};

/// Whether NAME@fake may be asked for: the engine of tests, with scripted latencies.
enum class TestEngines { kRefused, kAllowed };
inline constexpr const char* kTestEngine = "fake";

/// Parses words separated by commas, case-insensitive, order kept:
///
///   EXPORT+EAGER    a name
///   6               a number of the registry
///   EXPORT+*        a pattern (* any characters, ? one): those it fits, in the registry's order
///   !FP16*          leaves out what it fits, wherever it stands; alone: all but those
///   NAME@ENGINE     any of these but !: on that engine; a pattern takes those that the engine runs
///
/// What a pattern fits a second time is not taken again.
/// Errors  kInvalidArgument naming each unknown name, and each pattern that fits nothing, with the
///         nearest names; each engine that cannot run its conversion with those that can; each name
///         that is written twice, or written and left out; a list that leaves nothing.
Result<std::vector<Choice>> Select(std::string_view list,
                                   TestEngines test_engines = TestEngines::kRefused);

/// What `run` measures when nothing is asked for.
std::vector<Choice> DefaultChoices();

/// As that of its conversion; on the engine of tests everything runs, and what was left out
/// nowhere.
Legality LegalityOf(const Choice& choice, const Host& host);

}  // namespace assay::conversion
