#include "cli/installed.h"
#include "cli/list_options.h"
#include "cli/verb.h"
#include "conversion/explain.h"
#include "conversion/legality.h"
#include "hardware/machine.h"

namespace assay::cli {
namespace {

using conversion::Conversion;
using conversion::Route;
using engine::Description;

constexpr const char* kExamples =
    "Examples:\n"
    "  assay conversions                                what can be measured here, and why not\n"
    "  assay conversions EXPORT+AOT_INDUCTOR            one of them in full: steps, needs, traps\n"
    "  assay run resnet18 --conversions EAGER@pytorch   pins one to an engine that can run it\n"
    "  assay run resnet18 --conversions 'EXPORT+*,!*TVM' those that a pattern fits, but for some";

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

/// Why `conversion` cannot be run here, and what to do about it; ok when it can.
Status Available(const Conversion& conversion, const conversion::Legality& legality,
                 const Route*& route, const std::vector<Description>& engines) {
  route = &conversion.routes.front();
  ASSAY_TRY(legality.able);
  for (const Route& other : conversion.routes) {
    if (Missing(other, engines) == nullptr) {
      route = &other;
      return {};
    }
  }
  const Description* missing = Missing(*route, engines);
  return Error{Code::kUnavailable, missing->reason, missing->hint};
}

Json OrNull(const std::string& text) { return text.empty() ? Json() : Json(text); }

Json ItemOf(const Conversion& conversion, const conversion::Host& host,
            const std::vector<Description>& engines) {
  const conversion::Legality legality = conversion::LegalityOf(conversion, host);
  const conversion::Explanation explanation = conversion::Explain(conversion);
  const Route* route = nullptr;
  const Status available = Available(conversion, legality, route, engines);
  std::vector<std::string> able;
  for (const Route& other : conversion.routes) {
    able.push_back(other.engine);
  }
  return {{"id", conversion.id},
          {"name", conversion.name},
          {"description", conversion.description},
          {"weights", conversion.weights},
          {"activations", conversion.activations},
          {"device", conversion.device},
          {"engine", route->engine},
          {"available", available.ok()},
          {"reason", available.ok() ? Json() : OrNull(available.error().message)},
          {"remedy", available.ok() ? Json() : OrNull(available.error().hint)},
          {"warning", OrNull(legality.warning)},
          {"engines", able},
          {"steps", explanation.steps},
          {"timed", explanation.timed},
          {"needs", explanation.needs},
          {"use", explanation.use},
          {"trap", OrNull(explanation.trap)}};
}

/// A terminal is too narrow for what Markdown shows.
std::vector<report::ListColumn> ColumnsFor(report::Format format) {
  if (format == report::Format::kText) {
    return {{"id", {"id", true}},
            {"name", {"name"}},
            {"available", {"here"}},
            {"summary", {"what it does, or why not here", false, false, true}}};
  }
  return {{"id", {"id", true}},        {"name", {"name"}},      {"device", {"device"}},
          {"engine", {"engine"}},      {"available", {"here"}}, {"description", {"what it does"}},
          {"reason", {"why not here"}}};
}

Result<int> Conversions(ListOptions options) {
  ASSAY_ASSIGN(const report::Format format, FormatOf(options.format));
  if (const Conversion* named = conversion::Find(options.name)) {
    options.name = named->name;  // from its number or another spelling
  }
  report::List list{"conversions", Json::array(), ColumnsFor(format)};
  ASSAY_ASSIGN(const hardware::Machine machine, hardware::Detect());
  const conversion::Host host{.isa = machine.facts.isa, .devices = machine.devices};
  const std::vector<Description> engines = InstalledEngines();
  for (const Conversion& conversion : conversion::Registry()) {
    Json item = ItemOf(conversion, host, engines);
    if (format == report::Format::kText && options.name.empty()) {
      item["summary"] = item["available"] == true ? item["description"] : item["reason"];
    }
    list.items.push_back(std::move(item));
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
