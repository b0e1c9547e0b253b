#include "engine/guard.h"

#include <algorithm>
#include <array>
#include <string_view>

namespace assay::engine {
namespace {

bool SaysOutOfMemory(std::string_view message) {
  constexpr std::array<std::string_view, 6> kSigns = {
      "std::bad_alloc",         "bad allocation",
      "Failed to allocate",      // ONNX Runtime's arena: "Failed to allocate memory for ..."
      "can't allocate memory",   // PyTorch: "DefaultCPUAllocator: can't allocate memory"
      "not enough memory",       // PyTorch's allocator elsewhere
      "Cannot allocate memory",  // strerror(ENOMEM)
  };
  return std::any_of(kSigns.begin(), kSigns.end(), [&](std::string_view sign) {
    return message.find(sign) != std::string_view::npos;
  });
}

/// Runs of white space become one space; what is too long loses its end.
std::string OneLine(std::string_view text) {
  constexpr std::size_t kMost = 600;
  std::string line;
  for (const char c : text) {
    const bool space = c == ' ' || c == '\n' || c == '\t' || c == '\r';
    if (!space) {
      line += c;
    } else if (!line.empty() && line.back() != ' ') {
      line += ' ';
    }
    if (line.size() == kMost) {
      return line + "...";
    }
  }
  while (!line.empty() && line.back() == ' ') {
    line.pop_back();
  }
  return line;
}

}  // namespace

Error Classify(Error error) {
  if (SaysOutOfMemory(error.message)) {
    error.code = Code::kOutOfMemory;
  }
  error.message = OneLine(error.message);
  return error;
}

}  // namespace assay::engine
