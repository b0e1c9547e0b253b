// Tables and paragraphs as text: for terminals, Markdown and CSV. Knows nothing of records.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace assay::report {

enum class Tone { kPlain, kGood, kBad, kDoubtful, kFaint, kStrong };

/// How text for people is set. `width` in terminal columns.
struct Style {
  int width = 100;
  bool color = false;
  bool notes = false;  // every remark on every arm
};

struct Cell {
  std::string text;
  Tone tone = Tone::kPlain;
};

struct Heading {
  std::string text;
  bool right = false;         // numbers align to the right
  bool starts_block = false;  // the table goes on below, with its first column repeated
  bool wraps = false;         // sentences: broken over lines to fit; for the last column only
};

struct Table {
  std::vector<Heading> headings;
  std::vector<std::vector<Cell>> rows;  // as many cells as headings
};

/// Columns padded to equal width, two spaces between them, a new block where the next column would
/// not fit `style.width`.
std::string TextTable(const Table& table, const Style& style);
std::string MarkdownTable(const Table& table);
/// RFC 4180: lines end in CR LF, fields are quoted where they need it.
std::string CsvLine(const std::vector<std::string>& fields);

/// `label` in a column of its own, `text` wrapped beside it.
std::string Paragraph(const Cell& label, std::string_view text, const Style& style);
/// `text` broken between words so that no line is longer than `width`, if its words allow.
std::vector<std::string> Wrap(std::string_view text, int width);

/// `text` in the terminal colour of `tone`, or as it is without colour.
std::string Toned(std::string_view text, Tone tone, const Style& style);
/// Terminal columns of UTF-8 text (every code point that assay prints takes one).
int DisplayWidth(std::string_view text);

}  // namespace assay::report
