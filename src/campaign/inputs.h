// The input sets of a campaign: drawn from the seed alone, the same on every machine, written as
// safetensors "NAME.K" for the workers.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "base/result.h"
#include "model/graph.h"

namespace assay::campaign {

inline constexpr int kInputSets = 4;  // distinct, so that no cache of results can hide a slow run

struct Inputs {
  std::filesystem::path file;
  std::string sha256;  // of what the file was drawn from: names, types, ranges, seed
};

/// Writes the inputs of `graph` below `folder` (home/inputs), or finds them there. Floating-point
/// elements are uniform in [-1, 1). Integers that pick rows of a table (Gather) are uniform over
/// its rows; other integers and booleans are 0 or 1, as masks are, the first of each set 1.
/// Errors  kUnsupported for an input without fixed dimensions; kIo.
Result<Inputs> DrawInputs(const model::Graph& graph, std::uint64_t seed,
                          const std::filesystem::path& folder);

}  // namespace assay::campaign
