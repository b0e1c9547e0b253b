// Outputs of one run of a model over all input sets, as doubles, and how far two runs are apart.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "tensor/tensor.h"

namespace assay::campaign {

struct OutputSets {
  tensor::Shape shape;
  std::vector<std::vector<double>> sets;   // by input set
  std::vector<tensor::Shape> shapes = {};  // by input set, where they differ; -1: not there

  const tensor::Shape& ShapeOf(std::size_t set) const {
    return shapes.empty() ? shape : shapes[set];
  }
};
using Outputs = std::map<std::string, OutputSets>;

/// Reads the safetensors file "NAME.K" that a worker's `outputs` wrote.
/// Errors  those of SafetensorsFile::Open; kMalformed for tensors that are no set of an output.
Result<Outputs> ReadOutputs(const std::filesystem::path& path);

/// How far `outputs` lie from a reference. Of several outputs the worst counts. What is no finite
/// number in both, in the same way (finite.h), is left out.
struct Difference {
  /// Root of the summed squared errors over that of the part of the reference that varies with the
  /// input (its distance from its mean over the sets). An output that does not vary is measured by
  /// its own norm instead, and so is each one when the input is the same in all sets.
  double relative_l2 = 0;
  double max_abs = 0;
  double cosine = 1;
  std::optional<double>
      top1_agreement;   // of the last axis' largest, over outputs of rank 2 or more
  std::string problem;  // why they cannot be compared: an output missing, NaN in one; "" when
                        // they can
};
Difference Compare(const Outputs& reference, const Outputs& outputs, bool fixed_input = false);

/// Whether any output varies over the input sets at all.
bool Varies(const Outputs& outputs);

}  // namespace assay::campaign
