// Inputs that the user gives as .npy files, checked against what the model takes.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <vector>

#include "base/result.h"
#include "campaign/inputs.h"
#include "model/graph.h"
#include "tensor/tensor.h"

namespace assay::campaign {

/// The array for one input: its bytes are those of one set, or of kInputSets.
struct GivenInput {
  std::vector<std::byte> data;
  std::string sha256;
  bool several = false;

  /// Set `set` as the workers' file has it: "NAME.SET".
  tensor::Tensor Set(const model::Value& input, int set) const;
  /// Whether all sets are the same.
  bool Fixed() const;
};
using GivenInputs = std::map<std::string, GivenInput>;  // by the input's name

/// Errors  those of ReadNpy; kInvalidArgument for a name that is no input or stands twice, for
///         another type or shape.
Result<GivenInputs> ReadInputFiles(const model::Graph& graph, const std::vector<InputFile>& files);

}  // namespace assay::campaign
