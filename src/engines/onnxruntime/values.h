// ONNX Runtime's values as tensors by name: what is no tensor is taken apart. Throws what the API
// throws.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "engines/onnxruntime/api.h"
#include "tensor/tensor.h"

namespace assay::engine::onnxruntime {

/// Appends the tensors that `value` holds: itself under `name`, the elements of a sequence as
/// "NAME[0]", those of a map as "NAME.keys" and "NAME.values"; nothing for an optional without
/// value. Text as engine/text.h has it.
/// Errors  kUnsupported for element types that assay has no name for.
Status Append(const std::string& name, const Ort::Value& value,
              std::vector<tensor::Tensor>& tensors);

/// A tensor of text, of that shape.
Ort::Value TextValue(const tensor::Shape& shape, const std::vector<std::string>& strings);

}  // namespace assay::engine::onnxruntime
