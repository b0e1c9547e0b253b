#include "report/table.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"

namespace assay::report {
namespace {

constexpr int kGap = 2;
constexpr int kLabelWidth = 14;  // of Paragraph
constexpr int kLeastWrap = 20;   // columns of a cell that wraps, however narrow the terminal

std::string_view ColorOf(Tone tone) {
  switch (tone) {
    case Tone::kGood:
      return "\033[32m";
    case Tone::kBad:
      return "\033[31m";
    case Tone::kDoubtful:
      return "\033[33m";
    case Tone::kFaint:
      return "\033[2m";
    case Tone::kStrong:
      return "\033[1m";
    case Tone::kPlain:
      break;
  }
  return "";
}

std::string Spaces(int count) {
  return std::string(static_cast<std::size_t>(std::max(0, count)), ' ');
}

std::vector<int> Widths(const Table& table) {
  std::vector<int> widths;
  for (std::size_t c = 0; c < table.headings.size(); ++c) {
    int width = DisplayWidth(table.headings[c].text);
    for (const auto& row : table.rows) {
      width = std::max(width, DisplayWidth(row[c].text));
    }
    widths.push_back(width);
  }
  return widths;
}

/// The columns of each block: the first one, and as many others as fit.
std::vector<std::vector<std::size_t>> Blocks(const Table& table, const std::vector<int>& widths,
                                             int most) {
  std::vector<std::vector<std::size_t>> blocks = {{0}};
  int used = widths[0];
  for (std::size_t c = 1; c < widths.size(); ++c) {
    const bool full = used + kGap + widths[c] > most && blocks.back().size() > 1;
    if ((full && !table.headings[c].wraps) || table.headings[c].starts_block) {
      blocks.push_back({0});
      used = widths[0];
    }
    blocks.back().push_back(c);
    used += kGap + widths[c];
  }
  return blocks;
}

std::string Line(const std::vector<Cell>& cells, const Table& table,
                 const std::vector<std::size_t>& columns, const std::vector<int>& widths,
                 const Style& style) {
  std::string line;
  int owed = 0;  // spaces due before the next cell, so that lines have none at their end
  for (const std::size_t c : columns) {
    const int padding = widths[c] - DisplayWidth(cells[c].text);
    const bool right = table.headings[c].right;
    line += Spaces(owed + (right ? padding : 0));
    line += Toned(cells[c].text, cells[c].tone, style);
    owed = kGap + (right ? 0 : padding);
  }
  return line + "\n";
}

/// A row whose last cell may go on in lines below, when its column wraps.
std::string Row(const std::vector<Cell>& cells, const Table& table,
                const std::vector<std::size_t>& columns, const std::vector<int>& widths,
                const Style& style) {
  const std::size_t last = columns.back();
  if (!table.headings[last].wraps) {
    return Line(cells, table, columns, widths, style);
  }
  int before = 0;
  for (const std::size_t c : columns) {
    before += c == last ? 0 : widths[c] + kGap;
  }
  std::string text;
  for (const std::string& part :
       Wrap(cells[last].text, std::max(kLeastWrap, style.width - before))) {
    if (text.empty()) {
      std::vector<Cell> first = cells;
      first[last].text = part;
      text = Line(first, table, columns, widths, style);
    } else {
      text += Spaces(before) + Toned(part, cells[last].tone, style) + "\n";
    }
  }
  return text;
}

std::string MarkdownEscaped(std::string_view text) {
  std::string escaped;
  for (const char c : text) {
    escaped += c == '|' ? "\\|" : std::string(1, c);
  }
  return escaped;
}

}  // namespace

int DisplayWidth(std::string_view text) {
  return static_cast<int>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0u) != 0x80u;  // no continuation byte
  }));
}

std::string Toned(std::string_view text, Tone tone, const Style& style) {
  const std::string_view color = style.color ? ColorOf(tone) : "";
  return color.empty() ? std::string(text) : fmt::format("{}{}\033[0m", color, text);
}

std::string TextTable(const Table& table, const Style& style) {
  if (table.headings.empty()) {
    return "";
  }
  std::vector<Cell> headings;
  for (const Heading& heading : table.headings) {
    headings.push_back({heading.text, Tone::kStrong});
  }
  const std::vector<int> widths = Widths(table);
  std::string text;
  for (const auto& columns : Blocks(table, widths, style.width)) {
    text += text.empty() ? "" : "\n";
    text += Line(headings, table, columns, widths, style);
    for (const auto& row : table.rows) {
      text += Row(row, table, columns, widths, style);
    }
  }
  return text;
}

std::string MarkdownTable(const Table& table) {
  std::string text = "|", rule = "|";
  for (const Heading& heading : table.headings) {
    text += fmt::format(" {} |", MarkdownEscaped(heading.text));
    rule += heading.right ? "---:|" : "---|";
  }
  text += "\n" + rule + "\n";
  for (const auto& row : table.rows) {
    text += "|";
    for (const Cell& cell : row) {
      text += fmt::format(" {} |", MarkdownEscaped(cell.text));
    }
    text += "\n";
  }
  return text;
}

std::string CsvLine(const std::vector<std::string>& fields) {
  std::vector<std::string> quoted;
  for (const std::string& field : fields) {
    if (field.find_first_of(",\"\r\n") == std::string::npos) {
      quoted.push_back(field);
      continue;
    }
    std::string text = "\"";
    for (const char c : field) {
      text += c == '"' ? "\"\"" : std::string(1, c);
    }
    quoted.push_back(text + "\"");
  }
  return Join(quoted, ",") + "\r\n";
}

std::vector<std::string> Wrap(std::string_view text, int width) {
  std::vector<std::string> lines;
  for (const std::string& word : Split(text, ' ')) {
    if (lines.empty() || DisplayWidth(lines.back()) + 1 + DisplayWidth(word) > width) {
      lines.push_back(word);
    } else {
      lines.back() += " " + word;
    }
  }
  return lines;
}

std::string Paragraph(const Cell& label, std::string_view text, const Style& style) {
  std::string result = Toned(label.text, label.tone, style);
  int column = DisplayWidth(label.text);
  const int indent = std::max(kLabelWidth, column + kGap);
  for (const std::string& line : Wrap(text, style.width - indent)) {
    result += Spaces(indent - column) + line + "\n";
    column = 0;
  }
  return result;
}

}  // namespace assay::report
