#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>

#include "base/file.h"
#include "base/text.h"
#include "cli/folders.h"
#include "cli/installed.h"
#include "cli/list_options.h"
#include "cli/terminal.h"
#include "cli/verb.h"
#include "hardware/machine.h"
#include "report/format.h"

namespace assay::cli {
namespace {

namespace fs = std::filesystem;
using report::Tone;

constexpr std::uint64_t kLittleSpace = 5'000'000'000;  // a few models and their packages
constexpr const char* kExamples =
    "Examples:\n"
    "  assay doctor                   what works here, what would make numbers untrustworthy\n"
    "  assay doctor --format json     the same for scripts";

/// One thing looked at. "good", "doubtful" (numbers may suffer) or "missing" (something cannot
/// run).
struct Check {
  std::string subject, verdict, finding, remedy;
};

std::string FindProgram(const std::string& name) {
  const char* path = std::getenv("PATH");
  for (const std::string& folder : Split(path != nullptr ? path : "", ':')) {
    const fs::path candidate = fs::path(folder) / name;
    if (!folder.empty() && ::access(candidate.c_str(), X_OK) == 0) {
      return candidate.string();
    }
  }
  return "";
}

void CheckMachine(const hardware::Machine& machine, std::vector<Check>& checks) {
  const record::Machine& facts = machine.facts;
  checks.push_back(
      {"machine", "good",
       fmt::format("{}, {} physical cores ({} usable, CPUs {}), {}", facts.cpu,
                   facts.physical_cores, machine.usable_cores, facts.cpus_allowed, facts.os),
       ""});
  checks.push_back({"memory", "good",
                    fmt::format("{} free of {}", FormatBytes(machine.available_bytes),
                                FormatBytes(facts.memory_bytes)),
                    ""});
  for (const hardware::Warning& warning : machine.warnings) {
    checks.push_back({warning.id, "doubtful",
                      warning.message + (warning.mistrust ? " (runs are mistrusted)" : ""),
                      warning.remedy});
  }
}

void CheckEngines(std::vector<Check>& checks) {
  for (const engine::Description& engine : InstalledEngines()) {
    checks.push_back({engine.engine, engine.available ? "good" : "missing",
                      engine.available ? engine.version : engine.reason, engine.hint});
  }
}

void CheckCompiler(std::vector<Check>& checks) {
  const char* chosen = std::getenv("CXX");
  const std::string name = chosen != nullptr && *chosen != '\0' ? chosen : "g++";
  const std::string path = name.find('/') == std::string::npos ? FindProgram(name) : name;
  if (!path.empty() && ::access(path.c_str(), X_OK) == 0) {
    checks.push_back({"compiler", "good", path + ", for Inductor's conversions", ""});
  } else {
    checks.push_back(
        {"compiler", "missing",
         fmt::format("no {}: COMPILE_INDUCTOR_DEFAULT and EXPORT+AOT_INDUCTOR need it", name),
         "apt-get install g++"});
  }
}

void CheckHome(std::vector<Check>& checks) {
  const fs::path home = HomeDirectory();
  const std::uint64_t free = FreeBytes(home);
  const bool little = free < kLittleSpace;
  checks.push_back({"disk", little ? "doubtful" : "good",
                    fmt::format("{} free for {}", FormatBytes(free), home.string()),
                    little ? "assay cache --clear, or set ASSAY_HOME to another disk" : ""});
}

Tone ToneOf(const std::string& verdict) {
  return verdict == "good" ? Tone::kGood : verdict == "missing" ? Tone::kBad : Tone::kDoubtful;
}

std::string Verdict(const std::vector<Check>& checks) {
  const auto count = [&](const char* verdict) {
    return std::count_if(checks.begin(), checks.end(),
                         [&](const Check& check) { return check.verdict == verdict; });
  };
  if (count("missing") == 0 && count("doubtful") == 0) {
    return "ready: everything is here and nothing disturbs a measurement.";
  }
  std::string text = count("missing") == 0 ? "ready" : fmt::format("{} missing", count("missing"));
  if (count("doubtful") > 0) {
    text += fmt::format(", {} that may spoil numbers", count("doubtful"));
  }
  return text + "; what to do stands beside each, more in docs/troubleshooting.md.";
}

std::string Text(const std::vector<Check>& checks, const report::Style& style) {
  std::string text;
  for (const Check& check : checks) {
    text += report::Paragraph({check.subject, ToneOf(check.verdict)},
                              check.remedy.empty() || check.verdict == "good"
                                  ? check.finding
                                  : fmt::format("{}. Remedy: {}", check.finding, check.remedy),
                              style);
  }
  return text + "\n" + report::Paragraph({"Verdict", Tone::kStrong}, Verdict(checks), style);
}

report::List AsList(const std::vector<Check>& checks) {
  report::List list{"doctor",
                    Json::array(),
                    {{"name", {"subject"}},
                     {"verdict", {"verdict"}},
                     {"finding", {"finding"}},
                     {"remedy", {"remedy"}}}};
  for (const Check& check : checks) {
    list.items.push_back({{"name", check.subject},
                          {"verdict", check.verdict},
                          {"finding", check.finding},
                          {"remedy", check.remedy.empty() ? Json() : Json(check.remedy)}});
  }
  return list;
}

Result<int> Doctor(const std::string& format_name) {
  ASSAY_ASSIGN(const report::Format format, FormatOf(format_name));
  ASSAY_ASSIGN(const hardware::Machine machine, hardware::Detect());
  std::vector<Check> checks;
  CheckMachine(machine, checks);
  CheckHome(checks);
  CheckCompiler(checks);
  CheckEngines(checks);
  const report::Style style = StyleOfStdout();
  ASSAY_TRY(WriteOut(format == report::Format::kText
                         ? Text(checks, style)
                         : report::RenderList(AsList(checks), format, style)));
  return 0;
}

}  // namespace

Verb AddDoctor(CLI::App& app) {
  const auto format = std::make_shared<std::string>("text");
  CLI::App* verb =
      app.add_subcommand("doctor", "is this machine fit to measure, and what is missing?");
  AddFormat(*verb, *format);
  verb->footer(kExamples);
  return {verb, [format](const auto&) { return Doctor(*format); }};
}

}  // namespace assay::cli
