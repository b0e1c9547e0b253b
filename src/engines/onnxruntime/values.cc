#include "engines/onnxruntime/values.h"

#include <fmt/format.h>

#include <cstring>

#include "engine/text.h"

namespace assay::engine::onnxruntime {
namespace {

Status AppendTensor(const std::string& name, const Ort::Value& value,
                    std::vector<tensor::Tensor>& tensors) {
  const auto info = value.GetTensorTypeAndShapeInfo();
  const std::optional<tensor::DType> dtype = FromOnnx(info.GetElementType());
  if (!dtype) {
    return Error{Code::kUnsupported,
                 fmt::format("'{}' has elements of ONNX's type {}", name,
                             static_cast<int>(info.GetElementType())),
                 ""};
  }
  if (*dtype == tensor::DType::kString) {
    std::vector<std::string> strings;
    for (std::size_t i = 0; i < info.GetElementCount(); ++i) {
      strings.push_back(value.GetStringTensorElement(i));
    }
    tensors.push_back(FromStrings(name, info.GetShape(), strings));
    return {};
  }
  tensor::Tensor tensor{.name = name, .type = {*dtype, info.GetShape()}, .data = {}};
  tensor.data.resize(info.GetElementCount() * tensor::SizeOf(*dtype));
  if (!tensor.data.empty()) {
    std::memcpy(tensor.data.data(), value.GetTensorRawData(), tensor.data.size());
  }
  tensors.push_back(std::move(tensor));
  return {};
}

}  // namespace

Status Append(const std::string& name, const Ort::Value& value,
              std::vector<tensor::Tensor>& tensors) {
  if (!value.HasValue()) {
    return {};
  }
  if (value.IsTensor()) {
    return AppendTensor(name, value, tensors);
  }
  Ort::AllocatorWithDefaultOptions allocator;
  const bool map = value.GetTypeInfo().GetONNXType() == ONNX_TYPE_MAP;
  const auto count = static_cast<int>(value.GetCount());
  for (int i = 0; i < count; ++i) {
    const std::string part =
        map ? name + (i == 0 ? ".keys" : ".values") : fmt::format("{}[{}]", name, i);
    ASSAY_TRY(Append(part, value.GetValue(i, allocator), tensors));
  }
  return {};
}

Ort::Value TextValue(const tensor::Shape& shape, const std::vector<std::string>& strings) {
  Ort::AllocatorWithDefaultOptions allocator;
  Ort::Value value = Ort::Value::CreateTensor(allocator, shape.data(), shape.size(),
                                              ONNX_TENSOR_ELEMENT_DATA_TYPE_STRING);
  std::vector<const char*> texts;
  for (const std::string& string : strings) {
    texts.push_back(string.c_str());
  }
  value.FillStringTensor(texts.data(), texts.size());
  return value;
}

}  // namespace assay::engine::onnxruntime
