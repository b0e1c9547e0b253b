#include "cli/list_options.h"
#include "cli/verb.h"
#include "zoo/zoo.h"

namespace assay::cli {
namespace {

constexpr const char* kExamples =
    "Examples:\n"
    "  assay models                    the zoo\n"
    "  assay models ResNet-18          one of them in full\n"
    "  assay models --format json      for scripts";

Json ItemOf(const zoo::Entry& entry) {
  Json dimensions = Json::object();  // what --dim sets: its usual value and the greatest
  for (const zoo::Dimension& dimension : entry.dimensions) {
    dimensions[dimension.name] = {{"usual", dimension.usual}, {"most", dimension.most}};
  }
  return {
      {"name", entry.name},    {"family", entry.family},           {"parameters", entry.parameters},
      {"macs", entry.macs},    {"input_shape", entry.input_shape}, {"dimensions", dimensions},
      {"source", entry.source}};
}

Result<int> Models(ListOptions options) {
  report::List list{"models",
                    Json::array(),
                    {{"name", {"name"}},
                     {"family", {"family"}},
                     {"parameters", {"parameters", true}},
                     {"macs", {"multiply-adds", true}},
                     {"input_shape", {"input", true}}}};
  for (const zoo::Entry& entry : zoo::Entries()) {
    list.items.push_back(ItemOf(entry));
  }
  if (!options.name.empty()) {
    ASSAY_ASSIGN(const zoo::Entry entry, zoo::Find(options.name));
    options.name = entry.name;
  }
  return PrintList(list, options);
}

}  // namespace

Verb AddModels(CLI::App& app) {
  const auto options = std::make_shared<ListOptions>();
  CLI::App* verb = app.add_subcommand("models", "the models that assay builds itself");
  options->AddTo(*verb, "a model");
  verb->footer(kExamples);
  return {verb, [options](const auto&) { return Models(*options); }};
}

}  // namespace assay::cli
