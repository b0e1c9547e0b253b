#include "base/text.h"
#include "cli/list_options.h"
#include "cli/terminal.h"
#include "cli/verb.h"
#include "hardware/machine.h"

namespace assay::cli {
namespace {

constexpr const char* kExamples =
    "Examples:\n"
    "  assay hardware                 this machine, as far as it matters to a measurement\n"
    "  assay hardware --format json   the same for scripts\n"
    "\n"
    "Profiles of other processors are not built yet.";

Json ItemOf(const hardware::Machine& machine) {
  const record::Machine& facts = machine.facts;
  return {{"name", facts.cpu},
          {"aliases", Json::array({"this"})},
          {"kind", "cpu"},
          {"confidence", "detected"},
          {"physical_cores", facts.physical_cores},
          {"logical_cpus", facts.logical_cpus},
          {"cpus_allowed", facts.cpus_allowed},
          {"usable_cores", machine.usable_cores},
          {"memory_bytes", facts.memory_bytes},
          {"available_bytes", machine.available_bytes},
          {"isa", facts.isa},
          {"os", facts.os}};
}

Result<int> Hardware(const ListOptions& options) {
  ASSAY_ASSIGN(const report::Format format, FormatOf(options.format));
  if (!options.name.empty() && ToLower(options.name) != "this") {
    return Error{Code::kInvalidArgument,
                 "hardware profiles are not built yet: no '" + options.name + "'",
                 "assay hardware shows this machine"};
  }
  ASSAY_ASSIGN(const hardware::Machine machine, hardware::Detect());
  const report::List list{"hardware",
                          Json::array({ItemOf(machine)}),
                          {{"name", {"name"}}, {"kind", {"kind"}}, {"confidence", {"confidence"}}}};
  const bool people = format == report::Format::kText;
  ASSAY_TRY(WriteOut(people ? report::RenderItem(list, list.items[0], format, StyleOfStdout())
                            : report::RenderList(list, format, StyleOfStdout())));
  return 0;
}

}  // namespace

Verb AddHardware(CLI::App& app) {
  const auto options = std::make_shared<ListOptions>();
  CLI::App* verb = app.add_subcommand("hardware", "this machine (profiles of others come later)");
  options->AddTo(*verb, "a machine");
  verb->footer(kExamples);
  return {verb, [options](const auto&) { return Hardware(*options); }};
}

}  // namespace assay::cli
