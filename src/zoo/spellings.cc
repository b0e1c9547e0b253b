#include "zoo/spellings.h"

#include <fmt/format.h>

#include <charconv>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "zoo/spelling_rows.h"

namespace assay::zoo {
namespace {

struct Numbers {
  std::int64_t stage = 0, block = 0;
  std::string_view rest;
};

/// Whether `name` has the form of `pattern`; fills what its placeholders stand for.
bool Matches(std::string_view pattern, std::string_view name, Numbers& found) {
  while (!pattern.empty()) {
    if (pattern.front() == '*') {
      found.rest = name;
      return true;
    }
    if (pattern.front() == '{') {
      constexpr std::size_t kPlaceholder = 3;  // "{s}"
      std::int64_t& number = pattern[1] == 's' ? found.stage : found.block;
      std::uint16_t read = 0;
      const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), read);
      if (error != std::errc()) {
        return false;
      }
      number = read;
      name.remove_prefix(static_cast<std::size_t>(end - name.data()));
      pattern.remove_prefix(kPlaceholder);
      continue;
    }
    if (name.empty() || name.front() != pattern.front()) {
      return false;
    }
    name.remove_prefix(1);
    pattern.remove_prefix(1);
  }
  return name.empty();
}

/// (stage, block): its number counted through all stages, from 1.
using Blocks = std::map<std::pair<std::int64_t, std::int64_t>, std::int64_t>;

std::string Rename(std::string_view ours, const Numbers& found, const Blocks& blocks) {
  const auto counted = blocks.find({found.stage, found.block});
  std::string name(ours);
  const auto replace = [&name](std::string_view what, std::string_view by) {
    if (const std::size_t at = name.find(what); at != std::string::npos) {
      name.replace(at, what.size(), by);
    }
  };
  replace("{s+1}", std::to_string(found.stage + 1));
  replace("{2s}", std::to_string(2 * found.stage));
  replace("{2s+1}", std::to_string(2 * found.stage + 1));
  replace("{b}", std::to_string(found.block));
  replace("{n}", std::to_string(counted == blocks.end() ? 0 : counted->second));
  replace("*", found.rest);
  return name;
}

/// The blocks that the names speak of.
Blocks BlocksOf(const tensor::Checkpoint& checkpoint, std::span<const Row> rows) {
  Blocks blocks;
  for (const tensor::Stored& tensor : checkpoint.tensors()) {
    for (const Row& row : rows) {
      if (Numbers found; row.theirs.find("{b}") != std::string_view::npos &&
                         Matches(row.theirs, tensor.name, found)) {
        blocks[{found.stage, found.block}] = 0;
        break;
      }
    }
  }
  std::int64_t number = 0;
  for (auto& [block, counted] : blocks) {
    counted = ++number;
  }
  return blocks;
}

tensor::Spelling Spell(const Known& known, const tensor::Checkpoint& checkpoint) {
  return {std::string(known.origin),
          [rows = known.rows, blocks = BlocksOf(checkpoint, known.rows)](
              const std::string& name) -> std::optional<tensor::Target> {
            for (const Row& row : rows) {
              if (Numbers found; Matches(row.theirs, name, found)) {
                return tensor::Target{Rename(row.ours, found, blocks), row.part, row.parts};
              }
            }
            return std::nullopt;
          }};
}

}  // namespace

Result<std::optional<tensor::Spelling>> SpellingOf(const tensor::Checkpoint& checkpoint,
                                                   std::string_view family, std::string_view file) {
  for (const Known& known : KnownSpellings()) {
    if (known.family != family || checkpoint.Find(known.mark) == nullptr) {
      continue;
    }
    if (!known.different.empty()) {
      return Error{Code::kInvalidArgument,
                   fmt::format("{} is a {} of {}, which is another model: {}", file, family,
                               known.origin, known.different),
                   "export that model to ONNX and run the file"};
    }
    return std::optional(Spell(known, checkpoint));
  }
  return std::optional<tensor::Spelling>();
}

}  // namespace assay::zoo
