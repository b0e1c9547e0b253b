// The same inputs in batches of another size, and outputs of such batches put together again: how a
// model whose batch was changed is held to the file that it was made of.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "base/result.h"
#include "campaign/inputs.h"
#include "campaign/outputs.h"
#include "model/graph.h"

namespace assay::campaign {

struct Pieces {
  std::filesystem::path file;  // "NAME.K", K the set's place times `per_set` and the piece's
  std::string sha256;          // of what decides its content
  int per_set = 1;
};

/// Cuts each set of `inputs`, drawn for `graph`, into pieces of `batch` rows (of the first axis);
/// the last one is filled up with the first rows again. Written below `folder`.
/// Errors  kIo; kMalformed when the file is not what DrawInputs wrote.
Result<Pieces> CutInputs(const model::Graph& graph, const Inputs& inputs, std::int64_t batch,
                         const std::filesystem::path& folder);

/// The outputs of all pieces as those of sets of `rows` rows, each piece having `batch`.
/// Errors  kMalformed when an output is not made of so many rows and pieces.
Result<Outputs> Stack(const Outputs& pieces, int per_set, std::int64_t rows, std::int64_t batch);

}  // namespace assay::campaign
