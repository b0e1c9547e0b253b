#include "engines/onnxruntime/api.h"

#include <dlfcn.h>
#include <fmt/format.h>

#include <array>
#include <cstdlib>
#include <utility>

namespace assay::engine::onnxruntime {
namespace {

using tensor::DType;

constexpr std::array<std::pair<ONNXTensorElementDataType, DType>, 14> kTypes = {
    {{ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT, DType::kFloat32},
     {ONNX_TENSOR_ELEMENT_DATA_TYPE_DOUBLE, DType::kFloat64},
     {ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT16, DType::kFloat16},
     {ONNX_TENSOR_ELEMENT_DATA_TYPE_BFLOAT16, DType::kBFloat16},
     {ONNX_TENSOR_ELEMENT_DATA_TYPE_INT8, DType::kInt8},
     {ONNX_TENSOR_ELEMENT_DATA_TYPE_INT16, DType::kInt16},
     {ONNX_TENSOR_ELEMENT_DATA_TYPE_INT32, DType::kInt32},
     {ONNX_TENSOR_ELEMENT_DATA_TYPE_INT64, DType::kInt64},
     {ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT8, DType::kUInt8},
     {ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT16, DType::kUInt16},
     {ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT32, DType::kUInt32},
     {ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT64, DType::kUInt64},
     {ONNX_TENSOR_ELEMENT_DATA_TYPE_BOOL, DType::kBool},
     {ONNX_TENSOR_ELEMENT_DATA_TYPE_STRING, DType::kString}}};

}  // namespace

Result<std::string> OpenLibrary() {
  const char* chosen = std::getenv("ASSAY_ONNXRUNTIME");
  const std::string path = chosen != nullptr ? chosen : ASSAY_ONNXRUNTIME_LIBRARY;
  void* library = ::dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) {
    return Error{Code::kUnavailable, fmt::format("cannot open ONNX Runtime: {}", ::dlerror()),
                 chosen != nullptr ? "set ASSAY_ONNXRUNTIME to a libonnxruntime.so, or unset it"
                                   : "run tools/setup.sh"};
  }
  using GetBase = const OrtApiBase* (*)();
  const auto get_base = reinterpret_cast<GetBase>(::dlsym(library, "OrtGetApiBase"));
  const OrtApi* api = get_base == nullptr ? nullptr : get_base()->GetApi(ORT_API_VERSION);
  if (api == nullptr) {
    return Error{
        Code::kUnavailable,
        fmt::format("{} does not offer ONNX Runtime's API version {}", path, ORT_API_VERSION),
        "use ONNX Runtime 1." + std::to_string(ORT_API_VERSION) + " or later"};
  }
  Ort::InitApi(api);
  return std::string(get_base()->GetVersionString());
}

std::optional<DType> FromOnnx(ONNXTensorElementDataType type) {
  for (const auto& [theirs, ours] : kTypes) {
    if (theirs == type) {
      return ours;
    }
  }
  return std::nullopt;
}

ONNXTensorElementDataType ToOnnx(DType type) {
  for (const auto& [theirs, ours] : kTypes) {
    if (ours == type) {
      return theirs;
    }
  }
  return ONNX_TENSOR_ELEMENT_DATA_TYPE_UNDEFINED;
}

}  // namespace assay::engine::onnxruntime
