#include "base/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "report/format.h"
#include "view/render.h"

namespace assay::view {
namespace {

using report::Cell;
using report::Tone;

constexpr int kLeastForOperands = 60;  // columns; beside names of any length

const Item& ItemOf(const Listing& listing, ItemId id) {
  return listing.items[static_cast<std::size_t>(id)];
}

/// "conv1", "*conv1.weight 64x3x7x7", "[1, -1]".
std::string Operand(const Listing& listing, const Argument& argument, const Step& step) {
  if (argument.item < 0) {
    return argument.text;
  }
  const Item& item = ItemOf(listing, argument.item);
  if (item.kind == Kind::kConstant && !item.content.empty()) {
    return argument.text + item.content;
  }
  if (item.kind != Kind::kWeight && item.kind != Kind::kConstant) {
    return argument.text + item.name;
  }
  std::string text = argument.text + (item.kind == Kind::kWeight ? "*" : "") + item.name;
  const bool same = item.type && !step.results.empty() &&
                    ItemOf(listing, step.results.front()).type &&
                    ItemOf(listing, step.results.front()).type->dtype == item.type->dtype;
  // The shape alone where the elements are those of the result.
  return text + " " + (same ? tensor::ToString(item.type->shape) : TypeOf(item));
}

std::string Operands(const Listing& listing, const Step& step) {
  std::vector<std::string> operands;
  for (const Argument& argument : step.arguments) {
    operands.push_back(Operand(listing, argument, step));
  }
  std::vector<std::string> parts;
  for (const std::string& part : {Join(operands, ", "), step.attributes, step.remark}) {
    if (!part.empty()) {
      parts.push_back(part);
    }
  }
  return Join(parts, "; ");
}

std::string Types(const Listing& listing, const Step& step) {
  std::vector<std::string> types;
  for (const ItemId id : step.results) {
    types.push_back(TypeOf(ItemOf(listing, id)));
  }
  return Join(types, ", ");
}

/// A row for each value with what it is at that edge of the graph.
report::Table Edges(const Listing& listing) {
  report::Table table;
  table.headings = {{""}, {"value"}, {"type"}};
  const auto add = [&](const char* what, ItemId id) {
    const Item& item = ItemOf(listing, id);
    const bool renamed = item.kind == Kind::kResult && !item.alias.empty();
    const std::string name = renamed && item.alias != item.name
                                 ? fmt::format("{} = {}", item.alias, item.name)
                                 : item.name;
    table.rows.push_back({{what, Tone::kFaint}, {name}, {TypeOf(item)}});
  };
  for (const ItemId id : listing.inputs) {
    add("input", id);
  }
  for (const ItemId id : listing.outputs) {
    add("output", id);
  }
  return table;
}

report::Table Steps(const Listing& listing) {
  report::Table table;
  table.headings = {{listing.step}, {"operator"}, {"type"}};
  if (!listing.origin.empty()) {
    table.headings.push_back({listing.origin});
  }
  table.headings.push_back({.text = "takes", .wraps = true});
  for (const Step& step : listing.steps) {
    std::vector<Cell> row = {{step.name}, {step.op}, {Types(listing, step)}};
    if (!listing.origin.empty()) {
      row.push_back({step.origin, Tone::kFaint});
    }
    row.push_back({Operands(listing, step)});
    table.rows.push_back(std::move(row));
  }
  return table;
}

/// Columns of all but the last heading, so that the table stays in one piece: a terminal breaks a
/// long line better than a table in blocks reads.
int WidthOf(const report::Table& table) {
  int width = kLeastForOperands;
  for (std::size_t c = 0; c + 1 < table.headings.size(); ++c) {
    int widest = report::DisplayWidth(table.headings[c].text);
    for (const auto& row : table.rows) {
      widest = std::max(widest, report::DisplayWidth(row[c].text));
    }
    width += widest + 2;
  }
  return width;
}

std::string Totals(const Listing& listing) {
  std::set<ItemId> read;
  std::uint64_t parameters = 0, macs = 0;
  bool weights = false;
  for (const Step& step : listing.steps) {
    macs += step.macs;
    for (const Argument& argument : step.arguments) {
      if (argument.item >= 0 && read.insert(argument.item).second) {
        parameters += ItemOf(listing, argument.item).parameters;
        weights = weights || ItemOf(listing, argument.item).kind == Kind::kWeight;
      }
    }
  }
  const std::size_t count = listing.steps.size();
  const std::string what = listing.step == "node" ? "node" : "call";
  const std::string steps = count == listing.whole
                                ? fmt::format("{} {}{}", count, what, count == 1 ? "" : "s")
                                : fmt::format("{} of {} {}s", count, listing.whole, what);
  if (weights && parameters == 0) {
    return steps;  // not known, as in what torch.export wrote of a Python module
  }
  return fmt::format("{}, {} parameters ({}), {} multiply-adds ({})", steps,
                     report::Count(parameters), parameters, report::Count(macs), macs);
}

}  // namespace

std::string Text(const Listing& listing, const report::Style& style) {
  const report::Table steps = Steps(listing);
  report::Style wide = style;
  wide.width = std::max(style.width, WidthOf(steps));
  std::string text = report::Toned(listing.title, Tone::kStrong, style) + "\n";
  text += report::TextTable(Edges(listing), wide) + "\n";
  text += report::TextTable(steps, wide) + "\n";
  text += report::Toned(Totals(listing), Tone::kStrong, style) + "\n";
  for (const std::string& note : listing.notes) {
    for (const std::string& line : report::Wrap(note, style.width)) {
      text += report::Toned(line, Tone::kFaint, style) + "\n";
    }
  }
  return text;
}

std::string Text(const std::vector<Break>& breaks, const report::Style& style) {
  std::string text;
  for (std::size_t i = 0; i < breaks.size(); ++i) {
    const std::string label = fmt::format("break {}", i + 1);
    text += report::Paragraph({label, Tone::kDoubtful}, breaks[i].reason, style);
    for (const std::string& where : breaks[i].where) {
      text += "  " + where + "\n";
    }
  }
  return text;
}

}  // namespace assay::view
