// NumPy's .npy format, read strictly.
// Source  numpy/lib/format.py ("Format Version 1.0" to "3.0").
#pragma once

#include <filesystem>

#include "base/result.h"
#include "tensor/tensor.h"

namespace assay::tensor {

/// The array in a .npy file of version 1 to 3, little endian, in C order (an array in Fortran order
/// is rearranged); named after the file.
/// Errors  kNotFound, kIo; kMalformed naming the file and what is wrong with it; kInvalidArgument
/// for
///         element types that assay has no name for (big endian, objects, structures, strings).
Result<Tensor> ReadNpy(const std::filesystem::path& path);

}  // namespace assay::tensor
