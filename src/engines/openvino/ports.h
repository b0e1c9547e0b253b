// OpenVINO's inputs and outputs in assay's terms: names as in the ONNX graph, types, shapes.
#pragma once

#include <openvino/core/node_output.hpp>
#include <openvino/core/shape.hpp>
#include <openvino/core/type/element_type.hpp>
#include <string>

#include "base/result.h"
#include "tensor/safetensors.h"
#include "tensor/tensor.h"

namespace assay::engine::openvino {

/// The name in the ONNX graph: OpenVINO keeps all the names that fell together in one tensor.
std::string NameOf(const ov::Output<const ov::Node>& port);

/// The same of an input: the name among them that `inputs` has, as NAME.0.
std::string InputNameOf(const ov::Output<const ov::Node>& port,
                        const tensor::SafetensorsFile& inputs);

/// Errors  kUnsupported for element types without counterpart (strings, packed 4-bit numbers).
Result<tensor::DType> DTypeOf(const ov::element::Type& type, const std::string& name);

/// Dimensions not known beforehand are -1. Errors  those of DTypeOf; kUnsupported without a rank.
Result<tensor::Type> TypeOf(const ov::Output<const ov::Node>& port);

ov::Shape ShapeOf(const tensor::Shape& shape);

}  // namespace assay::engine::openvino
