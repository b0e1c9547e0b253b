#include <fmt/format.h>

#include <map>
#include <set>

#include "base/text.h"
#include "view/render.h"

namespace assay::view {
namespace {

/// `text` between the quotes of a DOT string: quotes and backslashes escaped (a label gives \N and
/// others a meaning), a line's end as \n, other control characters as blanks.
std::string Escaped(std::string_view text) {
  std::string escaped;
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      escaped += '\\';
      escaped += c;
    } else if (c == '\n') {
      escaped += "\\n";
    } else {
      escaped += static_cast<unsigned char>(c) < ' ' ? ' ' : c;
    }
  }
  return escaped;
}

/// One listing; `prefix` keeps the names of several apart.
class Drawing {
 public:
  Drawing(const Listing& listing, std::string prefix)
      : listing_(listing), prefix_(std::move(prefix)) {}

  std::string Draw() {
    for (const ItemId id : listing_.inputs) {
      makers_[id] = fmt::format("{}in{}", prefix_, id);
      Node(makers_[id], "ellipse", {ItemOf(id).name, TypeOf(ItemOf(id))});
    }
    for (std::size_t i = 0; i < listing_.steps.size(); ++i) {
      DrawStep(listing_.steps[i], fmt::format("{}s{}", prefix_, i));
    }
    for (const ItemId id : listing_.outputs) {
      const Item& item = ItemOf(id);
      const std::string name = fmt::format("{}out{}", prefix_, id);
      Node(name, "ellipse", {item.alias.empty() ? item.name : item.alias, TypeOf(item)});
      Edge(id, name);
    }
    return text_;
  }

 private:
  const Item& ItemOf(ItemId id) const { return listing_.items[static_cast<std::size_t>(id)]; }

  void Node(const std::string& name, const char* shape, const std::vector<std::string>& lines) {
    text_ +=
        fmt::format("  {} [shape={}, label=\"{}\"];\n", name, shape, Escaped(Join(lines, "\n")));
  }

  void Edge(ItemId from, const std::string& to) {
    const auto maker = makers_.find(from);
    if (maker != makers_.end()) {
      text_ += fmt::format("  {} -> {} [label=\"{}\"];\n", maker->second, to,
                           Escaped(TypeOf(ItemOf(from))));
    }
  }

  void DrawStep(const Step& step, const std::string& name) {
    std::vector<std::string> lines = {step.name, step.op};
    std::set<ItemId> read;
    for (const Argument& argument : step.arguments) {
      if (argument.item >= 0 && ItemOf(argument.item).kind == Kind::kWeight) {
        lines.push_back(
            fmt::format("*{} {}", ItemOf(argument.item).name, TypeOf(ItemOf(argument.item))));
      } else if (argument.item >= 0) {
        read.insert(argument.item);
      }
    }
    for (const std::string& more : {step.attributes, step.remark}) {
      if (!more.empty()) {
        lines.push_back(more);
      }
    }
    Node(name, "box", lines);
    for (const ItemId id : read) {
      Edge(id, name);
    }
    for (const ItemId id : step.results) {
      makers_[id] = name;
    }
  }

  const Listing& listing_;
  std::string prefix_;
  std::map<ItemId, std::string> makers_;  // the DOT node that an item comes from
  std::string text_;
};

}  // namespace

std::string Dot(const std::vector<Listing>& listings) {
  const std::string name = listings.empty() ? "" : listings.front().name;
  std::string text = fmt::format("digraph \"{}\" {{\n", Escaped(name));
  text += "  node [fontname=\"monospace\", fontsize=10];\n";
  text += "  edge [fontname=\"monospace\", fontsize=8];\n";
  for (std::size_t i = 0; i < listings.size(); ++i) {
    const bool alone = listings.size() == 1;
    if (!alone) {
      text +=
          fmt::format("  subgraph cluster_{} {{\n  label=\"{}\";\n", i, Escaped(listings[i].title));
    }
    text += Drawing(listings[i], alone ? "" : fmt::format("g{}_", i)).Draw();
    text += alone ? "" : "  }\n";
  }
  return text + "}\n";
}

}  // namespace assay::view
