// Reports: records in, text out. One file for each format; all made from the same columns.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "record/record.h"
#include "report/table.h"

namespace assay::report {

enum class Format { kText, kJson, kCsv, kMarkdown };

inline constexpr const char* kFormats = "text, json, csv, markdown";

std::optional<Format> ParseFormat(std::string_view name);

/// The format that a file's extension stands for: .json, .csv, .md.
/// Errors  kInvalidArgument naming the path and the extensions there are.
Result<Format> FormatOfPath(std::string_view path);

/// One record, or several one after another (CSV: one heading; JSON: a list).
std::string Render(const std::vector<record::Run>& runs, Format format, const Style& style);

// One for each format; Render calls them.
std::string Text(const record::Run& run, const Style& style);
std::string Markdown(const record::Run& run);
std::string Csv(const std::vector<record::Run>& runs);

}  // namespace assay::report
