#include "cli/list_options.h"

#include <fmt/format.h>

#include "base/text.h"
#include "cli/terminal.h"

namespace assay::cli {

void AddFormat(CLI::App& verb, std::string& format) {
  verb.add_option("--format", format, "of stdout: text, json, csv or markdown")
      ->type_name("FORMAT")
      ->capture_default_str();
}

Result<report::Format> FormatOf(const std::string& format) {
  if (const auto parsed = report::ParseFormat(format)) {
    return *parsed;
  }
  return Error{Code::kInvalidArgument,
               fmt::format("no format '{}'{}", format,
                           DidYouMean(format, {"text", "json", "csv", "markdown"})),
               fmt::format("--format is one of {}", report::kFormats)};
}

void ListOptions::AddTo(CLI::App& verb, const char* what) {
  verb.add_option("NAME", name, fmt::format("explain {} in full", what));
  AddFormat(verb, format);
}

Result<int> PrintList(const report::List& list, const ListOptions& options,
                      const std::string& key) {
  ASSAY_ASSIGN(const report::Format format, FormatOf(options.format));
  const report::Style style = StyleOfStdout();
  if (options.name.empty()) {
    ASSAY_TRY(WriteOut(report::RenderList(list, format, style)));
    return 0;
  }
  std::vector<std::string> names;
  for (const Json& item : list.items) {
    names.push_back(item.at(key).get<std::string>());
    if (ToLower(names.back()) == ToLower(options.name)) {
      ASSAY_TRY(WriteOut(report::RenderItem(list, item, format, style)));
      return 0;
    }
  }
  return Error{Code::kInvalidArgument,
               fmt::format("'{}' is not among the {}{}", options.name, list.name,
                           DidYouMean(options.name, names)),
               fmt::format("assay {} lists them", list.name)};
}

}  // namespace assay::cli
