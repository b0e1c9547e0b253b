#include <fmt/format.h>

#include "base/text.h"
#include "cli/hardware_options.h"
#include "cli/list_options.h"
#include "cli/terminal.h"
#include "cli/verb.h"
#include "hardware/machine.h"
#include "hardware/profiles.h"

namespace assay::cli {
namespace {

using hardware::Figure;
using hardware::Profile;

constexpr const char* kExamples =
    "Examples:\n"
    "  assay hardware                 this machine and every profile there is\n"
    "  assay hardware H100-SXM5       one of them: each figure with its source\n"
    "  assay hardware this            this machine; measures for about a second the first time\n"
    "  assay hardware my.json         a profile of yours (docs/predicting.md has the form)";

Json FactsOf(const hardware::Machine& machine) {
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

/// "66.9 T": operations or bytes a second.
std::string PerSecond(double value) {
  constexpr double kTera = 1e12, kGiga = 1e9;
  return value >= kTera ? fmt::format("{:.4g} T", value / kTera)
                        : fmt::format("{:.4g} G", value / kGiga);
}

/// The greatest rate for that type, "-" without.
std::string PeakOf(const Profile& profile, const char* dtype) {
  const double peak =
      std::max(profile.Peak(dtype, true).value_or(0), profile.Peak(dtype, false).value_or(0));
  return peak > 0 ? PerSecond(peak) + "op/s" : "-";
}

Json ItemOf(const Profile& profile) {
  return {{"name", profile.name},
          {"aliases", profile.aliases},
          {"kind", profile.kind},
          {"confidence", profile.confidence},
          {"vendor", profile.vendor},
          {"fp32", PeakOf(profile, "fp32")},
          {"bf16", PeakOf(profile, "bf16")},
          {"int8", PeakOf(profile, "int8")},
          {"bandwidth", PerSecond(profile.Main().bytes_per_s->value) + "B/s"}};
}

/// This machine with the keys of the list; what it can do is measured only when it is named.
Json ItemOf(const hardware::Machine& machine) {
  return {{"name", machine.facts.cpu},
          {"aliases", Json::array({"this"})},
          {"kind", "cpu"},
          {"confidence", "detected"},
          {"vendor", "this machine"},
          {"fp32", "-"},
          {"bf16", "-"},
          {"int8", "-"},
          {"bandwidth", "-"}};
}

std::string SourceText(const Profile& profile, const Figure& figure) {
  return fmt::format("{}: {}", figure.confidence, profile.SourceOf(figure));
}

void Explain(const Profile& profile, Json& item) {
  const auto add = [&](const std::string& key, const std::optional<Figure>& figure,
                       const char* unit, double scale) {
    item[key] = figure ? fmt::format("{:g} {} ({})", figure->value / scale, unit,
                                     SourceText(profile, *figure))
                       : "not published";
  };
  add("units", profile.units, "cores or multiprocessors", 1);
  add("base clock", profile.base_clock_hz, "GHz", 1e9);
  add("boost clock", profile.boost_clock_hz, "GHz", 1e9);
  for (const hardware::Rate& rate : profile.rates) {
    std::string key = fmt::format("{} {}", rate.dtype, rate.matrix ? "matrix" : "vector");
    key += item.contains(key) ? " (more)" : "";
    const std::string made = rate.units
                                 ? fmt::format(" = {:g} units x {:g} x {:g} GHz", *rate.units,
                                               rate.ops_per_clock, rate.clock_hz / 1e9)
                                 : ", units and clock not published";
    item[key] = fmt::format("{}op/s{} ({})", PerSecond(rate.per_s.value), made,
                            SourceText(profile, rate.per_s));
  }
  for (const hardware::Level& level : profile.memory) {
    const std::string size =
        level.capacity_bytes ? FormatBytes(static_cast<std::uint64_t>(*level.capacity_bytes)) + ", "
                             : "";
    item[level.name] =
        size + (level.bytes_per_s ? fmt::format("{}B/s ({})", PerSecond(level.bytes_per_s->value),
                                                SourceText(profile, *level.bytes_per_s))
                                  : "bandwidth not published");
  }
  add("power", profile.tdp_w, "W", 1);
  add("process", profile.process_nm, "nm", 1);
  const std::vector<std::string> disagreements = hardware::Disagreements(profile);
  if (!disagreements.empty()) {
    item["disagreements"] = disagreements;
  }
}

Result<int> ExplainOne(const std::string& name, report::Format format) {
  ASSAY_ASSIGN(const Profile profile, FindHardware(name));
  Json item;
  if (IsThisMachine(name)) {
    ASSAY_ASSIGN(const hardware::Machine machine, hardware::Detect());
    item = FactsOf(machine);
  } else {
    item = {{"name", profile.name},
            {"aliases", profile.aliases},
            {"kind", profile.kind},
            {"confidence", profile.confidence},
            {"vendor", profile.vendor}};
  }
  Explain(profile, item);
  const report::List list{"hardware", Json::array({item}), {}};
  ASSAY_TRY(WriteOut(report::RenderItem(list, list.items[0], format, StyleOfStdout())));
  return 0;
}

Result<int> Hardware(const ListOptions& options) {
  ASSAY_ASSIGN(const report::Format format, FormatOf(options.format));
  if (!options.name.empty()) {
    return ExplainOne(options.name, format);
  }
  ASSAY_ASSIGN(const hardware::Machine machine, hardware::Detect());
  report::List list{"hardware",
                    Json::array({ItemOf(machine)}),
                    {{"name", {"name"}},
                     {"kind", {"kind"}},
                     {"fp32", {"fp32", true}},
                     {"bf16", {"bf16", true}},
                     {"int8", {"int8", true}},
                     {"bandwidth", {"bandwidth", true}},
                     {"confidence", {"figures"}}}};
  for (const Profile& profile : hardware::Profiles()) {
    list.items.push_back(ItemOf(profile));
  }
  ASSAY_TRY(WriteOut(report::RenderList(list, format, StyleOfStdout())));
  return 0;
}

}  // namespace

Verb AddHardware(CLI::App& app) {
  const auto options = std::make_shared<ListOptions>();
  CLI::App* verb =
      app.add_subcommand("hardware", "this machine and the processors that predictions know");
  options->AddTo(*verb, "a processor");
  verb->footer(kExamples);
  return {verb, [options](const auto&) { return Hardware(*options); }};
}

}  // namespace assay::cli
