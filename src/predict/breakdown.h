// Where a model's work lies: a line for each operator, or for each module down to some depth of the
// operators' names.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "predict/cost.h"

namespace assay::predict {

struct Line {
  std::string name;  // of the operator, or of the module with what it holds
  std::string op;    // "Conv"; of a module the number of its operators: "3 operators"
  std::optional<tensor::Shape> shape;  // of the first output, where it is static; of a module that
                                       // of its last operator
  Cost cost;
  double intensity() const;  // flops per byte, 0 where no byte moves
};

struct Breakdown {
  std::vector<Line> lines;
  Cost total;
  Coverage coverage;
};

enum class SortBy { kOrder, kMacs, kFlops, kBytes, kParameters, kIntensity };
/// "order", "macs", "flops", "bytes", "parameters", "intensity".
/// Errors  kInvalidArgument with the names there are.
Result<SortBy> ParseSortBy(std::string_view name);

/// depth  parts of a name (split at '/' and '.') that a module has; 0: operators one by one
/// top    lines that are kept after sorting, the greatest first; 0: all
Breakdown BreakDown(const model::Graph& graph, Precision precision, SortBy by, std::size_t depth,
                    std::size_t top);

}  // namespace assay::predict
