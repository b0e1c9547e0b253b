#include "conversion/tiers.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/text.h"

namespace assay::conversion {
namespace {

/// The ways by which models are deployed on a CPU; tier 1 takes the first two.
constexpr const char* kRoutes[] = {"EAGER", "COMPILE_INDUCTOR_DEFAULT",
                                   "EXPORT+AOT_INDUCTOR+FREEZING", "ONNX_CPU", "COMPILE_OPENVINO"};
constexpr std::size_t kRoutesOfTier1 = 2;

/// Quantisations whose products run in the CPU's int8 instructions, with scales from calibration.
constexpr std::array kInt8Kernels = {"fx_int8", "static_int8", "x86_int8"};

Choice ChoiceOf(const Conversion& conversion) {
  return {conversion, conversion.routes.front(), conversion.name};
}

bool RunsWell(const Conversion& conversion, const Host& host) {
  return LegalityOf(conversion, host).able.ok() && HasArithmetic(conversion.recipe.precision, host);
}

/// Whether `recipe` is `route` but for its numbers, which are what `wanted` says.
template <typename Wanted>
bool IsRouteIn(const Recipe& recipe, const Recipe& route, Wanted wanted) {
  Recipe plain = recipe;
  plain.precision = route.precision;
  plain.quantisation = plain.weights = plain.activations = "";
  return plain == route && wanted(recipe);
}

bool IsBf16(const Recipe& recipe) {
  return recipe.precision == "bf16" && recipe.quantisation.empty();
}

bool IsInt8(const Recipe& recipe) {
  return recipe.precision == "fp32" && std::find(kInt8Kernels.begin(), kInt8Kernels.end(),
                                                 recipe.quantisation) != kInt8Kernels.end();
}

/// The same route in fewer bits, the best that this machine has instructions for; null for none.
const Conversion* Reduced(const Conversion& route, const Host& host) {
  for (const auto wanted : {&IsBf16, &IsInt8}) {
    for (const Conversion& other : Registry()) {
      if (IsRouteIn(other.recipe, route.recipe, wanted) && RunsWell(other, host)) {
        return &other;
      }
    }
  }
  return nullptr;
}

std::vector<Choice> DeploymentRoutes(const Host& host) {
  std::vector<Choice> choices, reduced;
  for (const char* name : kRoutes) {
    const Conversion& route = *Find(name);
    choices.push_back(ChoiceOf(route));
    if (const Conversion* fewer_bits = Reduced(route, host)) {
      reduced.push_back(ChoiceOf(*fewer_bits));
    }
  }
  choices.insert(choices.end(), reduced.begin(), reduced.end());
  return choices;
}

std::vector<Choice> Everything(const Host& host) {
  std::vector<Choice> choices;
  for (const Conversion& conversion : Registry()) {
    choices.push_back(ChoiceOf(conversion));
    const Recipe& recipe = conversion.recipe;
    if (recipe.precision == "fp16" && !HasArithmetic(recipe.precision, host)) {
      choices.back().left_out = LegalityOf(conversion, host).warning;
    }
  }
  return choices;
}

std::vector<Choice> QuickLook() {
  std::vector<Choice> choices;
  for (std::size_t i = 0; i < kRoutesOfTier1; ++i) {
    choices.push_back(ChoiceOf(*Find(kRoutes[i])));
  }
  return choices;
}

/// Those that may run here, on the engine of tests; the others stay what they are.
void PutOnTestEngine(const Host& host, std::vector<Choice>& choices) {
  for (Choice& choice : choices) {
    if (LegalityOf(choice, host).able.ok()) {
      choice.route = {kTestEngine, choice.route.preparer.empty() ? "" : kTestEngine};
      choice.label += fmt::format("@{}", kTestEngine);
    }
  }
}

}  // namespace

const std::vector<Tier>& Tiers() {
  static const std::vector<Tier> tiers = {
      {1, "a quick look: EAGER against COMPILE_INDUCTOR_DEFAULT"},
      {2, "the routes by which models are deployed, each also in fewer bits"},
      {3, "everything that is legal here"}};
  return tiers;
}

Result<std::vector<Choice>> TierChoices(const std::string& tier, const Host& host,
                                        TestEngines test_engines) {
  const std::size_t at = tier.find('@');
  const std::string number = tier.substr(0, at);
  const bool on_test_engine = at != std::string::npos && tier.substr(at + 1) == kTestEngine &&
                              test_engines == TestEngines::kAllowed;
  const auto known = std::find_if(Tiers().begin(), Tiers().end(), [&](const Tier& t) {
    return std::to_string(t.number) == number;
  });
  if (known == Tiers().end() || (at != std::string::npos && !on_test_engine)) {
    std::vector<std::string> meanings;
    for (const Tier& t : Tiers()) {
      meanings.push_back(fmt::format("{} ({})", t.number, t.meaning));
    }
    return Error{Code::kInvalidArgument, fmt::format("no tier '{}'", tier),
                 fmt::format("--tier {}", Join(meanings, ", "))};
  }
  std::vector<Choice> choices = known->number == 1   ? QuickLook()
                                : known->number == 2 ? DeploymentRoutes(host)
                                                     : Everything(host);
  if (on_test_engine) {
    PutOnTestEngine(host, choices);
  }
  return choices;
}

}  // namespace assay::conversion
