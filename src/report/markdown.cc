#include <fmt/format.h>

#include "report/columns.h"
#include "report/findings.h"
#include "report/report.h"

namespace assay::report {

std::string Markdown(const record::Run& run) {
  std::string text = fmt::format("## assay run: {}\n\n", run.model.name);
  text += fmt::format("{}.\n\n{}.\n\n", DescribeModel(run.model), DescribeMachine(run));
  text += fmt::format("Measured {} by assay {}.\n\n", run.started, run.assay_version);
  text += MarkdownTable(ArmTable(run)) + "\n" + Legend(run) + ".\n\n";
  for (const Finding& finding : Findings(run, /*notes=*/true)) {
    text += fmt::format("- **{}**: {}\n", finding.label, finding.text);
    if (!finding.commands.empty()) {
      text += "\n  ```\n";
      for (const std::string& command : finding.commands) {
        text += "  " + command + "\n";
      }
      text += "  ```\n";
    }
  }
  return text;
}

}  // namespace assay::report
