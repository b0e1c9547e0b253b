#include "engines/openvino/ports.h"

#include <fmt/format.h>

#include <openvino/core/node.hpp>
#include <openvino/core/partial_shape.hpp>
#include <string_view>
#include <utility>

namespace assay::engine::openvino {
namespace {

using tensor::DType;

const std::pair<ov::element::Type, DType> kTypes[] = {
    {ov::element::f32, DType::kFloat32}, {ov::element::f64, DType::kFloat64},
    {ov::element::f16, DType::kFloat16}, {ov::element::bf16, DType::kBFloat16},
    {ov::element::i8, DType::kInt8},     {ov::element::i16, DType::kInt16},
    {ov::element::i32, DType::kInt32},   {ov::element::i64, DType::kInt64},
    {ov::element::u8, DType::kUInt8},    {ov::element::u16, DType::kUInt16},
    {ov::element::u32, DType::kUInt32},  {ov::element::u64, DType::kUInt64},
    {ov::element::boolean, DType::kBool}};

}  // namespace

std::string NameOf(const ov::Output<const ov::Node>& port) {
  constexpr std::string_view kSink = "/sink_port_0";  // how the ONNX reader names results
  std::string name = port.get_node()->get_friendly_name();
  if (name.ends_with(kSink)) {
    name.resize(name.size() - kSink.size());
  }
  return port.get_names().contains(name) ? name : port.get_any_name();
}

std::string InputNameOf(const ov::Output<const ov::Node>& port,
                        const tensor::SafetensorsFile& inputs) {
  for (const std::string& name : port.get_names()) {
    if (inputs.Find(name + ".0") != nullptr) {
      return name;
    }
  }
  return NameOf(port);
}

Result<DType> DTypeOf(const ov::element::Type& type, const std::string& name) {
  for (const auto& [theirs, ours] : kTypes) {
    if (theirs == type) {
      return ours;
    }
  }
  return Error{Code::kUnsupported,
               fmt::format("'{}' has elements of OpenVINO's type {}", name, type.get_type_name()),
               ""};
}

Result<tensor::Type> TypeOf(const ov::Output<const ov::Node>& port) {
  tensor::Type type;
  ASSAY_ASSIGN(type.dtype, DTypeOf(port.get_element_type(), NameOf(port)));
  const ov::PartialShape shape = port.get_partial_shape();
  if (shape.rank().is_dynamic()) {
    return Error{Code::kUnsupported, fmt::format("'{}' has no fixed rank", NameOf(port)), ""};
  }
  for (const ov::Dimension& dimension : shape) {
    type.shape.push_back(dimension.is_static() ? dimension.get_length() : -1);
  }
  return type;
}

ov::Shape ShapeOf(const tensor::Shape& shape) { return {shape.begin(), shape.end()}; }

}  // namespace assay::engine::openvino
