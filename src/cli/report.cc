#include "report/report.h"

#include "base/file.h"
#include "cli/list_options.h"
#include "cli/terminal.h"
#include "cli/verb.h"

namespace assay::cli {
namespace {

constexpr const char* kExamples =
    "Examples:\n"
    "  assay report before.json                        as the run showed it\n"
    "  assay report *.json --format csv > all.csv      one table of several records";

struct ReportOptions {
  std::vector<std::string> files;
  std::string format = "text";
};

Result<int> Report(const ReportOptions& options) {
  ASSAY_ASSIGN(const report::Format format, FormatOf(options.format));
  std::vector<record::Run> runs;
  for (const std::string& file : options.files) {
    ASSAY_ASSIGN(const Json json, ReadJson(file));
    ASSAY_ASSIGN(runs.emplace_back(), record::RunFromJson(json, file));
  }
  ASSAY_TRY(WriteOut(report::Render(runs, format, StyleOfStdout())));
  return 0;
}

}  // namespace

Verb AddReport(CLI::App& app) {
  const auto options = std::make_shared<ReportOptions>();
  CLI::App* verb = app.add_subcommand("report", "renders saved records again in another format");
  verb->add_option("FILE", options->files, "records written by assay run --output FILE.json")
      ->required();
  AddFormat(*verb, options->format);
  verb->footer(kExamples);
  return {verb, [options](const auto&) { return Report(*options); }};
}

}  // namespace assay::cli
