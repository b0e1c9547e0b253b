// What a record means, in sentences: the recommendation and how to take it home, what was not
// separated, what failed and what to do, what to doubt, how to repeat each arm.
#pragma once

#include <string>
#include <vector>

#include "record/record.h"
#include "report/table.h"

namespace assay::report {

struct Finding {
  std::string label;  // "Recommended"
  Tone tone = Tone::kPlain;
  std::string text;                   // sentences; may be empty
  std::vector<std::string> commands;  // to be copied: never broken over lines
};

/// notes  also every remark that engines and the measurement made on an arm
std::vector<Finding> Findings(const record::Run& run, bool notes);

/// One line on the model and one on the machine.
std::string DescribeModel(const record::ModelFacts& model);
std::string DescribeMachine(const record::Run& run);
/// How to read the table: what the median is over, what the ratios are against.
std::string Legend(const record::Run& run);

}  // namespace assay::report
