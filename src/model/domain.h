// Which values an input may take to mean something to the model: rows of a table, lengths, masks,
// numbers that have a logarithm. Read from the graph alone; nothing is drawn here.
#pragma once

#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "model/graph.h"

namespace assay::model {

inline constexpr double kInfinite = std::numeric_limits<double>::infinity();

struct Range {
  double low = -kInfinite, high = kInfinite;  // both belong to it
  bool whole = false;                         // numbers without a fraction, be the type a float

  bool Bounded() const { return low > -kInfinite && high < kInfinite; }
  bool Empty() const;  // holds no number of its kind
  bool operator==(const Range&) const = default;
};

struct Domain {
  /// One for all elements, or one for each place along the last axis. Bounded, never empty.
  std::vector<Range> each = {};
  std::vector<double> among = {};       // where not empty, only these
  std::vector<std::string> words = {};  // of text, only these; none: any
  /// Of each row of the last axis the first element: a mask that leaves nothing gives NaN.
  std::optional<double> first = {};
  /// Places to write to: no two alike along this axis, or among all rows of the last axis where
  /// each of its places has a range of its own.
  std::optional<std::size_t> distinct = {};
  std::string reason = {};  // "rows of 'emb.weight'"; "" where the graph says nothing

  bool operator==(const Domain&) const = default;
};

/// Of each input of the graph, in their order. What reaches a table, a root, a comparison or a
/// length through casts, reshapes, slices, sums and products with constants is followed there.
/// Where the graph says nothing: floats in [-1, 1], 8-bit integers of the whole range, masks (by
/// name) and booleans 0 or 1, other integers 0 to 4.
std::vector<Domain> DomainsOf(const Graph& graph);

/// "integers 0..29999, rows of 'emb.weight'", "in [-1, 1]".
std::string ToString(const Domain& domain);

}  // namespace assay::model
