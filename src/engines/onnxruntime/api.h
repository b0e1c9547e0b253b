// ONNX Runtime's C++ API, opened at run time: the symbols of its library carry the release, so that
// a linked program would refuse every other one, while the C API is asked for by version.
#pragma once

#define ORT_API_MANUAL_INIT  // in every file that includes the API: InitApi is called by
                             // OpenLibrary
#include <onnxruntime_cxx_api.h>

#include <optional>
#include <string>

#include "base/result.h"
#include "tensor/tensor.h"

namespace assay::engine::onnxruntime {

/// Opens the library that $ASSAY_ONNXRUNTIME names, else the environment's, and makes Ort:: usable.
/// Returns its version. It stays open until the process ends.
/// Errors  kUnavailable with what dlopen said, or when the library is older than the headers.
Result<std::string> OpenLibrary();

std::optional<tensor::DType> FromOnnx(ONNXTensorElementDataType type);
ONNXTensorElementDataType ToOnnx(tensor::DType type);

}  // namespace assay::engine::onnxruntime
