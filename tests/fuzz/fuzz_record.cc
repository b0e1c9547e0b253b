// A saved record, as report and compare read it: what is accepted can be rendered in every format.
#include "base/json.h"
#include "fuzz.h"
#include "record/record.h"
#include "report/compare.h"
#include "report/report.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace assay;
  const auto json = ParseJson(fuzz::AsText(data, size), "r.json");
  if (!json) {
    fuzz::RequireOneLine(json.error());
    return 0;
  }
  const auto run = record::RunFromJson(*json, "r.json");
  if (!run) {
    fuzz::RequireOneLine(run.error());
    return 0;
  }
  for (const auto format : {report::Format::kText, report::Format::kJson, report::Format::kCsv,
                            report::Format::kMarkdown}) {
    fuzz::Require(!report::Render({*run}, format, {}).empty(), "a report");
  }
  report::RenderComparison(report::Compare(*run, *run), report::Format::kText, {});
  return 0;
}
