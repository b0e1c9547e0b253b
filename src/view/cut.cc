#include "view/cut.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/text.h"

namespace assay::view {
namespace {

using Marks = std::vector<bool>;  // by step

std::size_t Index(ItemId id) { return static_cast<std::size_t>(id); }

class Cutter {
 public:
  explicit Cutter(const Listing& listing) : listing_(listing) {}

  /// The steps that `name` means.
  Result<Marks> Find(const std::string& name) const {
    Marks found(listing_.steps.size(), false);
    bool any = false;
    for (std::size_t i = 0; i < found.size(); ++i) {
      found[i] = Means(listing_.steps[i], name);
      any = any || found[i];
    }
    if (any) {
      return found;
    }
    const std::string what = listing_.step == "node" ? "node" : "node or result";
    return Error{
        Code::kInvalidArgument,
        fmt::format("no {} '{}' in {}{}", what, name, listing_.title, DidYouMean(name, Known())),
        "without --from and --to all of them are listed"};
  }

  /// `from` and all that reads its results, directly or not.
  Marks After(Marks from) const {
    Marks made(listing_.items.size(), false);
    for (std::size_t i = 0; i < from.size(); ++i) {
      const Step& step = listing_.steps[i];
      from[i] = from[i] || std::any_of(step.arguments.begin(), step.arguments.end(),
                                       [&](const Argument& argument) {
                                         return argument.item >= 0 && made[Index(argument.item)];
                                       });
      for (const ItemId id : step.results) {
        made[Index(id)] = made[Index(id)] || from[i];
      }
    }
    return from;
  }

  /// `to` and all whose results it reads, directly or not.
  Marks Before(Marks to) const {
    Marks read(listing_.items.size(), false);
    for (std::size_t i = to.size(); i-- > 0;) {
      const Step& step = listing_.steps[i];
      to[i] = to[i] || std::any_of(step.results.begin(), step.results.end(),
                                   [&](ItemId id) { return read[Index(id)]; });
      for (const Argument& argument : step.arguments) {
        if (to[i] && argument.item >= 0) {
          read[Index(argument.item)] = true;
        }
      }
    }
    return to;
  }

  Listing Take(const Marks& wanted) const {
    Listing part = listing_;
    part.steps.clear();
    part.inputs.clear();
    part.outputs.clear();
    for (std::size_t i = 0; i < wanted.size(); ++i) {
      if (wanted[i]) {
        part.steps.push_back(listing_.steps[i]);
      }
    }
    FindEdges(wanted, part);
    return part;
  }

 private:
  bool Means(const Step& step, const std::string& name) const {
    const auto called = [&](ItemId id) {
      const Item& item = listing_.items[Index(id)];
      return item.name == name || item.alias == name;
    };
    return step.name == name || step.origin == name ||
           std::any_of(step.results.begin(), step.results.end(), called) ||
           std::any_of(step.arguments.begin(), step.arguments.end(), [&](const Argument& argument) {
             return argument.item >= 0 &&
                    listing_.items[Index(argument.item)].kind != Kind::kResult &&
                    called(argument.item);
           });
  }

  std::vector<std::string> Known() const {
    std::vector<std::string> names;
    const auto add = [&](const std::string& name) {
      if (!name.empty() && std::find(names.rbegin(), names.rend(), name) == names.rend()) {
        names.push_back(name);
      }
    };
    for (const Step& step : listing_.steps) {
      add(step.origin.empty() ? step.name : step.origin);
    }
    for (const ItemId id : listing_.inputs) {
      add(listing_.items[Index(id)].name);
    }
    return names;
  }

  void FindEdges(const Marks& wanted, Listing& part) const {
    Marks made(listing_.items.size(), false), seen = made, leaves = made;
    for (const ItemId id : listing_.outputs) {
      leaves[Index(id)] = true;
    }
    for (std::size_t i = 0; i < wanted.size(); ++i) {
      for (const Argument& argument : listing_.steps[i].arguments) {
        if (argument.item >= 0 && !wanted[i]) {
          leaves[Index(argument.item)] = true;
        }
      }
    }
    for (const Step& step : part.steps) {
      for (const Argument& argument : step.arguments) {
        if (argument.item < 0 || made[Index(argument.item)] || seen[Index(argument.item)]) {
          continue;
        }
        const Kind kind = listing_.items[Index(argument.item)].kind;
        seen[Index(argument.item)] = true;
        if (kind == Kind::kInput || kind == Kind::kResult) {
          part.inputs.push_back(argument.item);
        }
      }
      for (const ItemId id : step.results) {
        made[Index(id)] = true;
        if (leaves[Index(id)]) {
          part.outputs.push_back(id);
        }
      }
    }
  }

  const Listing& listing_;
};

}  // namespace

Result<Listing> Cut(const Listing& listing, const std::string& from, const std::string& to) {
  const Cutter cutter(listing);
  Marks wanted(listing.steps.size(), true);
  if (!from.empty()) {
    ASSAY_ASSIGN(Marks start, cutter.Find(from));
    wanted = cutter.After(std::move(start));
  }
  if (!to.empty()) {
    ASSAY_ASSIGN(Marks end, cutter.Find(to));
    const Marks before = cutter.Before(std::move(end));
    for (std::size_t i = 0; i < wanted.size(); ++i) {
      wanted[i] = wanted[i] && before[i];
    }
  }
  if (std::count(wanted.begin(), wanted.end(), true) == 0) {
    return Error{Code::kInvalidArgument, fmt::format("no path leads from '{}' to '{}'", from, to),
                 fmt::format("the other way round: --from {} --to {}", to, from)};
  }
  return cutter.Take(wanted);
}

}  // namespace assay::view
