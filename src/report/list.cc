#include "report/list.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "report/format.h"

namespace assay::report {
namespace {

/// A value as one field of CSV.
std::string Plain(const Json& value) {
  if (value.is_null()) {
    return "";
  }
  if (value.is_string()) {
    return value.get<std::string>();
  }
  if (!value.is_array()) {
    return value.dump();
  }
  std::vector<std::string> parts;
  for (const Json& part : value) {
    parts.push_back(Plain(part));
  }
  const bool words = std::none_of(parts.begin(), parts.end(), [](const std::string& part) {
    return part.find(' ') != std::string::npos;
  });
  return Join(parts, words ? " " : "; ");
}

bool IsShape(std::string_view key) { return key.ends_with("shape"); }

/// A value as people read it; the key says what quantity it is.
std::string ForPeople(std::string_view key, const Json& value) {
  if (value.is_boolean()) {
    return value.get<bool>() ? "yes" : "no";
  }
  if (value.is_number_unsigned() && key.ends_with("bytes")) {
    return Bytes(value.get<std::uint64_t>());
  }
  if (value.is_number_unsigned() && (key == "parameters" || key == "macs")) {
    return Count(value.get<std::uint64_t>());
  }
  if (value.is_array() && IsShape(key)) {
    return Join(Split(Plain(value), ' '), "x");
  }
  const std::string text = Plain(value);
  return text.empty() ? kNothing : text;
}

Table PeoplesTable(const List& list) {
  Table table;
  for (const ListColumn& column : list.columns) {
    table.headings.push_back(column.heading);
  }
  for (const Json& item : list.items) {
    std::vector<Cell> row;
    for (const ListColumn& column : list.columns) {
      const Json value = item.value(column.key, Json());
      const std::string text = ForPeople(column.key, value);
      row.push_back({text, value == false     ? Tone::kDoubtful
                           : text == kNothing ? Tone::kFaint
                                              : Tone::kPlain});
    }
    table.rows.push_back(std::move(row));
  }
  return table;
}

std::string CsvText(const Json& items) {
  std::string text;
  for (const Json& item : items) {
    std::vector<std::string> keys, fields;
    for (const auto& [key, value] : item.items()) {
      keys.push_back(key);
      fields.push_back(Plain(value));
    }
    text += (text.empty() ? CsvLine(keys) : "") + CsvLine(fields);
  }
  return text;
}

std::string JsonText(const List& list, const Json& items) {
  return Json({{"schema", fmt::format("assay.{}/1", list.name)}, {"items", items}}).dump(2) + "\n";
}

}  // namespace

std::string RenderList(const List& list, Format format, const Style& style) {
  switch (format) {
    case Format::kJson:
      return JsonText(list, list.items);
    case Format::kCsv:
      return CsvText(list.items);
    case Format::kMarkdown:
      return MarkdownTable(PeoplesTable(list));
    case Format::kText:
      break;
  }
  return TextTable(PeoplesTable(list), style);
}

std::string RenderItem(const List& list, const Json& item, Format format, const Style& style) {
  if (format == Format::kJson || format == Format::kCsv) {
    const Json items = Json::array({item});
    return format == Format::kJson ? JsonText(list, items) : CsvText(items);
  }
  std::string text;
  for (const auto& [key, value] : item.items()) {
    std::string label = key.ends_with("_bytes") ? key.substr(0, key.size() - 6) : key;
    std::replace(label.begin(), label.end(), '_', ' ');
    const std::string shown = ForPeople(key, value);
    text += format == Format::kText ? Paragraph({label, Tone::kStrong}, shown, style)
                                    : fmt::format("- **{}**: {}\n", label, shown);
  }
  return text;
}

}  // namespace assay::report
