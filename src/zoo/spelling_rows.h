// The spellings of other projects, as tables.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>

namespace assay::zoo {

/// One renaming. In `theirs` {s} stands for the number of a stage, {b} for that of a block, * for
/// any text. In `ours` these again, {s+1}, {2s}, {2s+1}, and {n} for the number of the block
/// counted through all stages, from 1; "" for what is no part of the model and passed over. The
/// first row that fits a name is taken.
struct Row {
  std::string_view theirs, ours;
  std::size_t part = 0, parts = 1;
};

/// A project's spelling of a family, known by a tensor that only it has.
struct Known {
  std::string_view family, origin, mark;
  std::span<const Row> rows;
  std::string_view different = {};  // why it is no renaming
};

/// All that are known, by family.
std::span<const Known> KnownSpellings();

}  // namespace assay::zoo
