#include "engine/guard.h"

#include <algorithm>
#include <array>
#include <string_view>

namespace assay::engine {

Error Classify(Error error) {
  constexpr std::array<std::string_view, 6> kSigns = {
      "std::bad_alloc",         "bad allocation",
      "Failed to allocate",      // ONNX Runtime's arena: "Failed to allocate memory for ..."
      "can't allocate memory",   // PyTorch: "DefaultCPUAllocator: can't allocate memory"
      "not enough memory",       // PyTorch's allocator elsewhere
      "Cannot allocate memory",  // strerror(ENOMEM)
  };
  const bool memory = std::any_of(kSigns.begin(), kSigns.end(), [&](std::string_view sign) {
    return error.message.find(sign) != std::string::npos;
  });
  if (memory) {
    error.code = Code::kOutOfMemory;
  }
  return error;
}

}  // namespace assay::engine
