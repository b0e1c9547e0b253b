// The columns of a report: one table from which the text, Markdown and CSV of a record are made.
#pragma once

#include <string>
#include <vector>

#include "record/record.h"
#include "report/table.h"

namespace assay::report {

struct Column {
  const char* key;      // CSV: name; "" for columns of people's tables only
  const char* pointer;  // CSV: where the value stands in an arm's JSON (RFC 6901)
  Heading heading;      // people's tables; empty for columns of CSV only
  Cell (*cell)(const record::Run&, const record::Arm&) = nullptr;
  bool (*shown)(const record::Run&) = nullptr;  // people's tables: null for always
};

const std::vector<Column>& Columns();

/// Whether a prediction stands beside any arm.
bool HasPredictions(const record::Run& run);

/// Whether an arm runs several inferences at a time, or several inputs in one, so that throughputs
/// are told.
bool TellsThroughput(const record::Run& run);

/// The arms in the order asked for, in people's columns.
Table ArmTable(const record::Run& run);

/// Red, yellow or plain, for outcomes.
Tone ToneOf(record::Outcome outcome);

}  // namespace assay::report
