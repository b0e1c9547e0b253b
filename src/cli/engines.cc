#include "cli/installed.h"
#include "cli/list_options.h"
#include "cli/verb.h"

namespace assay::cli {
namespace {

constexpr const char* kExamples =
    "Examples:\n"
    "  assay engines                  which runtimes are here, in which version\n"
    "  assay engines openvino         why it is not, and the command that adds it";

Json OrNull(const std::string& text) { return text.empty() ? Json() : Json(text); }

Result<int> Engines(const ListOptions& options) {
  ASSAY_TRY(FormatOf(options.format));
  report::List list{"engines",
                    Json::array(),
                    {{"name", {"name"}},
                     {"version", {"version"}},
                     {"available", {"here"}},
                     {"reason", {"why not (assay engines NAME: what to do)", false, false, true}}}};
  for (const engine::Description& engine : InstalledEngines()) {
    list.items.push_back({{"name", engine.engine},
                          {"version", OrNull(engine.version)},
                          {"available", engine.available},
                          {"reason", OrNull(engine.reason)},
                          {"remedy", OrNull(engine.hint)}});
  }
  return PrintList(list, options);
}

}  // namespace

Verb AddEngines(CLI::App& app) {
  const auto options = std::make_shared<ListOptions>();
  CLI::App* verb = app.add_subcommand("engines", "the runtimes: which are here, why not");
  options->AddTo(*verb, "an engine");
  verb->footer(kExamples);
  return {verb, [options](const auto&) { return Engines(*options); }};
}

}  // namespace assay::cli
