#include <algorithm>

#include "base/text.h"
#include "cli/installed.h"
#include "cli/list_options.h"
#include "cli/verb.h"
#include "conversion/conversion.h"

namespace assay::cli {
namespace {

using conversion::Conversion;
using conversion::Route;
using engine::Description;

constexpr const char* kExamples =
    "Examples:\n"
    "  assay conversions                              what can be measured here\n"
    "  assay conversions EXPORT+AOT_INDUCTOR          one of them in full\n"
    "  assay run resnet18 --conversions EAGER@pytorch pins one to an engine that can run it";

/// The engine that keeps `route` from running, null when none does.
const Description* Missing(const Route& route, const std::vector<Description>& engines) {
  for (const std::string& name : {route.engine, route.preparer}) {
    for (const Description& engine : engines) {
      if (engine.engine == name && !engine.available) {
        return &engine;
      }
    }
  }
  return nullptr;
}

Json ItemOf(const Conversion& conversion, const std::vector<Description>& engines) {
  const auto found =
      std::find_if(conversion.routes.begin(), conversion.routes.end(),
                   [&](const Route& route) { return Missing(route, engines) == nullptr; });
  const bool available = found != conversion.routes.end();
  const Description* missing = available ? nullptr : Missing(conversion.routes.front(), engines);
  std::vector<std::string> able;
  for (const Route& route : conversion.routes) {
    able.push_back(route.engine);
  }
  return {{"id", conversion.id},
          {"name", conversion.name},
          {"description", conversion.description},
          {"weights", conversion.weights},
          {"activations", conversion.activations},
          {"device", conversion.device},
          {"engine", available ? found->engine : conversion.routes.front().engine},
          {"available", available},
          {"reason", missing != nullptr ? Json(missing->reason) : Json()},
          {"remedy", missing != nullptr ? Json(missing->hint) : Json()},
          {"engines", able}};
}

Result<int> Conversions(const ListOptions& options) {
  ASSAY_TRY(FormatOf(options.format));
  report::List list{"conversions",
                    Json::array(),
                    {{"id", {"id", true}},
                     {"name", {"name"}},
                     {"available", {"here"}},
                     {"description", {"what it does", false, false, true}}}};
  const std::vector<Description> engines = InstalledEngines();
  for (const Conversion& conversion : conversion::Registry()) {
    list.items.push_back(ItemOf(conversion, engines));
  }
  return PrintList(list, options);
}

}  // namespace

Verb AddConversions(CLI::App& app) {
  const auto options = std::make_shared<ListOptions>();
  CLI::App* verb =
      app.add_subcommand("conversions", "the ways to run a model, and which work here");
  options->AddTo(*verb, "a conversion");
  verb->footer(kExamples);
  return {verb, [options](const auto&) { return Conversions(*options); }};
}

}  // namespace assay::cli
