// The input sets of a campaign: drawn from the seed alone, the same on every machine, or read from
// the user's files; written as safetensors "NAME.K" for the workers.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "base/result.h"
#include "model/graph.h"

namespace assay::campaign {

inline constexpr int kInputSets = 4;  // distinct, so that no cache of results can hide a slow run

/// --input NAME=FILE.npy
struct InputFile {
  std::string name;
  std::filesystem::path path;
};

struct Inputs {
  std::filesystem::path file;
  std::string sha256;  // of what decides its content: names, types, ranges, seed, arrays given
  bool fixed = false;  // the user's files leave no two sets different
  std::vector<std::string> drawn =
      {};              // of each input how (model/domain.h), "" for one from a file
  int gentleness = 0;  // of what is drawn: draw.h

  bool AnyDrawn() const;
};

/// Writes the inputs of `graph` below `folder` (home/inputs), or finds them there: uniform over
/// what means something to the graph (model/domain.h).
///
/// sets   how many
/// files  give inputs their values instead. An array of the input's shape is used in every set; one
///        whose first axis is kInputSets times as long, or with a first axis of kInputSets besides,
///        is cut into the sets; of more sets than that, later ones begin anew.
/// gentleness  0 to kGentlest (draw.h)
/// Errors  kUnsupported for an input without fixed dimensions; kIo; those of ReadNpy;
///         kInvalidArgument for an array of another type or shape, or for no input.
Result<Inputs> DrawInputs(const model::Graph& graph, std::uint64_t seed,
                          const std::filesystem::path& folder,
                          const std::vector<InputFile>& files = {}, int sets = kInputSets,
                          int gentleness = 0);

}  // namespace assay::campaign
