#include <algorithm>
#include <charconv>

#include "base/text.h"
#include "conversion/compose.h"
#include "conversion/conversion.h"

namespace assay::conversion {
namespace {

/// The first names that users know; the place is the id.
constexpr const char* kKnown[] = {
    "EAGER",
    "EXPORT+EAGER",
    "ONNX_CPU",
    "ONNX_GPU",
    "ONNX+DYNAMO_EXPORT",
    "COMPILE_CUDAGRAPHS",
    "COMPILE_INDUCTOR_DEFAULT",
    "COMPILE_INDUCTOR_REDUCE_OVERHEAD",
    "COMPILE_INDUCTOR_MAX_AUTOTUNE",
    "COMPILE_INDUCTOR_EAGER_FALLBACK",
    "COMPILE_ONNXRT",
    "COMPILE_OPENXLA",
    "COMPILE_TVM",
    "EXPORT+AI8WI8_FLOAT_QUANTIZED",
    "EXPORT+AI8WI8_FLOAT_QUANTIZED+RUN_DECOMPOSITION",
    "EXPORT+AI8WI8_STATIC_QUANTIZED",
    "EXPORT+AI8WI8_STATIC_QUANTIZED+RUN_DECOMPOSITION",
    "EXPORT+AOT_INDUCTOR",
    "EXPORT+COMPILE_CUDAGRAPHS",
    "EXPORT+COMPILE_INDUCTOR_DEFAULT",
    "EXPORT+COMPILE_INDUCTOR_REDUCE_OVERHEAD",
    "EXPORT+COMPILE_INDUCTOR_MAX_AUTOTUNE",
    "EXPORT+COMPILE_INDUCTOR_DEFAULT_EAGER_FALLBACK",
    "EXPORT+COMPILE_ONNXRT",
    "EXPORT+COMPILE_OPENXLA",
    "EXPORT+COMPILE_TVM",
    "NATIVE_CONVERT_AI8WI8_STATIC_QUANTIZED",
    "NATIVE_FAKE_QUANTIZED_AI8WI8_STATIC",
    "COMPILE_TENSORRT",
    "EXPORT+COMPILE_TENSORRT",
    "COMPILE_OPENVINO",
    "JIT_TRACE",
    "TORCH_SCRIPT",
    "OPTIMUM_QUANTO_AI8WI8",
    "OPTIMUM_QUANTO_AI8WI4",
    "OPTIMUM_QUANTO_AI8WI2",
    "OPTIMUM_QUANTO_WI8",
    "OPTIMUM_QUANTO_WI4",
    "OPTIMUM_QUANTO_WI2",
    "OPTIMUM_QUANTO_Wf8E4M3N",
    "OPTIMUM_QUANTO_Wf8E4M3NUZ",
    "OPTIMUM_QUANTO_Wf8E5M2",
    "OPTIMIM_QUANTO_Wf8E5M2+COMPILE_CUDAGRAPHS",
    "FP16+EAGER",
    "BF16+EAGER",
    "COMPILE_INDUCTOR_MAX_AUTOTUNE+TORCHAO_AUTOQUANT_DEFAULT",
    "COMPILE_INDUCTOR_MAX_AUTOTUNE+TORCHAO_AUTOQUANT_NONDEFAULT",
    "COMPILE_CUDAGRAPHS+TORCHAO_AUTOQUANT_DEFAULT",
    "COMPILE_INDUCTOR_MAX_AUTOTUNE+TORCHAO_QUANT_I4_WEIGHT_ONLY",
    "TORCHAO_QUANT_I4_WEIGHT_ONLY",
};

/// The names after those: each behind FP16+, then each behind BF16+.
constexpr const char* kReduced[] = {
    "COMPILE_CUDAGRAPHS",
    "COMPILE_INDUCTOR_DEFAULT",
    "COMPILE_INDUCTOR_REDUCE_OVERHEAD",
    "COMPILE_INDUCTOR_MAX_AUTOTUNE",
    "COMPILE_INDUCTOR_EAGER_FALLBACK",
    "COMPILE_ONNXRT",
    "COMPILE_OPENXLA",
    "COMPILE_TVM",
    "COMPILE_TENSORRT",
    "COMPILE_OPENVINO",
    "EXPORT+COMPILE_CUDAGRAPHS",
    "EXPORT+COMPILE_INDUCTOR_DEFAULT",
    "EXPORT+COMPILE_INDUCTOR_REDUCE_OVERHEAD",
    "EXPORT+COMPILE_INDUCTOR_MAX_AUTOTUNE",
    "EXPORT+COMPILE_INDUCTOR_DEFAULT_EAGER_FALLBACK",
    "EXPORT+COMPILE_ONNXRT",
    "EXPORT+COMPILE_OPENXLA",
    "EXPORT+COMPILE_TVM",
    "EXPORT+COMPILE_TENSORRT",
    "EXPORT+COMPILE_OPENVINO",
    "JIT_TRACE",
    "TORCH_SCRIPT",
};

/// From id kFirstAddition on; an id once given stays.
constexpr const char* kAdded[] = {
    "EXPORT+AOT_INDUCTOR+FREEZING",
    "BF16+ONNX_CPU",
    "INT8_STATIC+ONNX_CPU",
    "INT8_DYNAMIC+ONNX_CPU",
    "INT8_STATIC+COMPILE_OPENVINO",
    "INT8_DYNAMIC+COMPILE_OPENVINO",
    "BF16+EXPORT+AOT_INDUCTOR+FREEZING",
    "INT8+EXPORT+AOT_INDUCTOR+FREEZING",
    "TORCH_SCRIPT+FREEZING",
    "TORCH_SCRIPT+ONEDNN_GRAPH",
    "CHANNELS_LAST+EAGER",
    "CHANNELS_LAST+COMPILE_INDUCTOR_DEFAULT",
    "CHANNELS_LAST+EXPORT+AOT_INDUCTOR+FREEZING",
    "BF16+CHANNELS_LAST+EAGER",
    "ONNX_CPU+NO_SPINNING",
    "COMPILE_OPENVINO+THROUGHPUT",
    "AUTOCAST_BF16+EAGER",
    "AUTOCAST_BF16+COMPILE_INDUCTOR_DEFAULT",
};

std::vector<Conversion> ComposeAll() {
  std::vector<Conversion> all;
  const auto next = [&] { return static_cast<int>(all.size()); };
  for (const char* name : kKnown) {
    all.push_back(Compose(next(), name));
  }
  for (const std::string precision : {"FP16+", "BF16+"}) {
    for (const char* name : kReduced) {
      all.push_back(Compose(next(), precision + name));
    }
  }
  for (int id = kFirstAddition; const char* name : kAdded) {
    all.push_back(Compose(id++, name));
  }
  for (Conversion& c : all) {
    std::erase_if(c.alternatives, [&](const std::string& name) {
      return std::none_of(all.begin(), all.end(),
                          [&](const Conversion& other) { return other.name == name; });
    });
  }
  return all;
}

}  // namespace

const std::vector<Conversion>& Registry() {
  static const std::vector<Conversion> registry = ComposeAll();
  return registry;
}

const Conversion* Find(std::string_view name_or_id) {
  int id = -1;
  const char* end = name_or_id.data() + name_or_id.size();
  if (std::from_chars(name_or_id.data(), end, id).ptr != end) {
    id = -1;
  }
  const std::string name = ToUpper(name_or_id);
  const auto found = std::find_if(Registry().begin(), Registry().end(), [&](const Conversion& c) {
    return c.id == id || ToUpper(c.name) == name || (!c.alias.empty() && ToUpper(c.alias) == name);
  });
  return found == Registry().end() ? nullptr : &*found;
}

}  // namespace assay::conversion
