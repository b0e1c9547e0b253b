// What quantisers are calibrated on: .npy files of the user (--calibration DIR), else samples of
// the seed that no output is judged by.
#pragma once

#include <filesystem>
#include <string>

#include "base/result.h"
#include "campaign/inputs.h"
#include "model/graph.h"

namespace assay::campaign {

struct Calibration {
  std::filesystem::path file;  // safetensors "NAME.K", K below `samples`
  std::string sha256;          // of what decides its content
  int samples = 0;
  std::string source = {};   // record::Calibration::source
  std::int64_t dropped = 0;  // rows at the end of the files that fill no sample
};

/// The files DIR/NAME/*.npy for each input NAME, or DIR/*.npy for a model of one input, in the
/// order of their names; written as safetensors below `folder` (home/inputs), or found there.
///
/// An array holds rows along the input's first axis, any number of them; one without that axis is
/// a single row. Rows follow each other through all files, and each sample takes as many as the
/// input has: so the same files calibrate every batch size. Inputs of a model with several belong
/// together by the names of the files and the places of the rows.
/// Errors  kNotFound without the folder or a file in it; those of ReadNpy; kInvalidArgument naming
///         file, type and shape, and what is wanted: for arrays that do not fit, that hold NaN or
///         infinity, for inputs that do not belong together, for fewer rows than one sample takes,
///         for more than 1 GB; kIo.
Result<Calibration> ReadCalibration(const model::Graph& graph, const std::filesystem::path& from,
                                    const std::filesystem::path& folder);

}  // namespace assay::campaign
