#include "report/compare.h"

#include "base/file.h"
#include "cli/list_options.h"
#include "cli/terminal.h"
#include "cli/verb.h"

namespace assay::cli {
namespace {

constexpr const char* kExamples =
    "Examples:\n"
    "  assay compare before.json after.json            what got faster, slower, appeared, "
    "vanished\n"
    "  assay compare a.json b.json --format json       the same for scripts";

struct CompareOptions {
  std::string a, b;
  std::string format = "text";
};

Result<int> Compare(const CompareOptions& options) {
  ASSAY_ASSIGN(const report::Format format, FormatOf(options.format));
  ASSAY_ASSIGN(const Json json_a, ReadJson(options.a));
  ASSAY_ASSIGN(const Json json_b, ReadJson(options.b));
  ASSAY_ASSIGN(const record::Run a, record::RunFromJson(json_a, options.a));
  ASSAY_ASSIGN(const record::Run b, record::RunFromJson(json_b, options.b));
  ASSAY_TRY(WriteOut(report::RenderComparison(report::Compare(a, b), format, StyleOfStdout())));
  return 0;
}

}  // namespace

Verb AddCompare(CLI::App& app) {
  const auto options = std::make_shared<CompareOptions>();
  CLI::App* verb = app.add_subcommand("compare", "two records side by side");
  verb->add_option("A", options->a, "record of before (.json)")->required();
  verb->add_option("B", options->b, "record of after (.json)")->required();
  AddFormat(*verb, options->format);
  verb->footer(kExamples);
  return {verb, [options](const auto&) { return Compare(*options); }};
}

}  // namespace assay::cli
