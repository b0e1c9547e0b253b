#include <fmt/format.h>

#include "report/columns.h"
#include "report/findings.h"
#include "report/report.h"

namespace assay::report {

std::string Text(const record::Run& run, const Style& style) {
  std::string text = Paragraph({"Model", Tone::kStrong}, DescribeModel(run.model), style);
  text += Paragraph({"Machine", Tone::kStrong}, DescribeMachine(run), style) + "\n";
  text += TextTable(ArmTable(run), style) + "\n";
  for (const std::string& line : Wrap(Legend(run), style.width)) {
    text += Toned(line, Tone::kFaint, style) + "\n";
  }
  text += "\n";
  std::string last;
  for (const Finding& finding : Findings(run, style.notes)) {
    // A label is shown once for those that follow each other with the same one.
    text +=
        Paragraph({finding.label == last ? "" : finding.label, finding.tone}, finding.text, style);
    for (const std::string& command : finding.commands) {
      text += "  " + command + "\n";
    }
    last = finding.label;
  }
  return text;
}

}  // namespace assay::report
