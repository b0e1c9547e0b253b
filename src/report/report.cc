#include "report/report.h"

#include <fmt/format.h>

#include <filesystem>

#include "base/text.h"

namespace assay::report {
namespace {

std::string JsonText(const std::vector<record::Run>& runs) {
  if (runs.size() == 1) {
    return record::ToJson(runs.front()).dump(2) + "\n";
  }
  Json list = Json::array();
  for (const record::Run& run : runs) {
    list.push_back(record::ToJson(run));
  }
  return list.dump(2) + "\n";
}

}  // namespace

std::optional<Format> ParseFormat(std::string_view name) {
  const std::string lower = ToLower(name);
  if (lower == "text") {
    return Format::kText;
  }
  if (lower == "json") {
    return Format::kJson;
  }
  if (lower == "csv") {
    return Format::kCsv;
  }
  return lower == "markdown" ? std::optional(Format::kMarkdown) : std::nullopt;
}

Result<Format> FormatOfPath(std::string_view path) {
  const std::string extension = ToLower(std::filesystem::path(path).extension().string());
  if (extension == ".json") {
    return Format::kJson;
  }
  if (extension == ".csv") {
    return Format::kCsv;
  }
  if (extension == ".md") {
    return Format::kMarkdown;
  }
  if (extension == ".html") {
    return Error{Code::kInvalidArgument, fmt::format("output '{}': HTML is not built yet", path),
                 "use .json, .csv or .md"};
  }
  return Error{Code::kInvalidArgument,
               fmt::format("output '{}': no format has the extension '{}'", path, extension),
               "use .json, .csv or .md"};
}

std::string Render(const std::vector<record::Run>& runs, Format format, const Style& style) {
  if (format == Format::kJson) {
    return JsonText(runs);
  }
  if (format == Format::kCsv) {
    return Csv(runs);
  }
  std::string text;
  for (const record::Run& run : runs) {
    text += text.empty() ? "" : "\n\n";
    text += format == Format::kText ? Text(run, style) : Markdown(run);
  }
  return text;
}

}  // namespace assay::report
