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

/// How far an output lies from a reference. What is no finite number in both, in the same way
/// (finite.h), is left out.
struct Difference {
  /// Root of the summed squared errors over `scale`.
  double relative_l2 = 0;
  double max_abs = 0;
  double cosine = 1;
  std::optional<double> top1_agreement;  // of the last axis' largest, for rank 2 or more
  std::string problem;  // why they cannot be compared: an output missing, NaN in one; "" when
                        // they can
};
/// Of several outputs the worst in each respect.
Difference Worst(const std::map<std::string, Difference>& differences);

/// The norms of a reference that errors are relative to, over some of its sets.
struct Norms {
  double whole = 0;      // L2
  double variation = 0;  // of what varies with the input: the distance of its sets from their mean

  /// `variation`, or `whole` where nothing varies; 1 for zeros.
  double scale() const { return variation > 0 ? variation : whole > 0 ? whole : 1; }
};

/// The sets of inputs that count, ascending; empty for all.
using Sets = std::vector<std::size_t>;

/// fixed_input  every set has the same input: what varies under it is the noise of threads, and
///              errors are relative to the whole
Norms NormsOf(const OutputSets& reference, bool fixed_input = false, const Sets& sets = {});

/// Each output of the reference, by name. Problems are looked for in all sets.
std::map<std::string, Difference> CompareEach(const Outputs& reference, const Outputs& outputs,
                                              bool fixed_input = false, const Sets& sets = {});
/// The worst of them.
Difference Compare(const Outputs& reference, const Outputs& outputs, bool fixed_input = false);

/// The L2 distance of two outputs of the same shape, by set.
std::vector<double> Distances(const OutputSets& a, const OutputSets& b);

/// Whether any output varies over the input sets at all.
bool Varies(const Outputs& outputs);

}  // namespace assay::campaign
