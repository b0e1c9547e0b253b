// Where runtimes' exceptions end. An engine's code may throw what its runtime throws; the kit calls
// it through Guard.
#pragma once

#include <exception>
#include <new>
#include <string>

#include "base/result.h"

namespace assay::engine {

/// `error` as assay words errors: its message on one line and of bounded length, its code
/// kOutOfMemory when the message is a runtime's way of saying that memory could not be had (oneDNN,
/// PyTorch's and ONNX Runtime's allocators, std::bad_alloc).
Error Classify(Error error);

/// The value of call(), or the error that it returned or threw.
template <typename Call>
auto Guard(const Call& call) -> decltype(call()) {
  try {
    auto result = call();
    if (!result.ok()) {
      return Classify(std::move(result).error());
    }
    return result;
  } catch (const std::bad_alloc&) {
    return Error{Code::kOutOfMemory, "memory could not be allocated (std::bad_alloc)",
                 "raise --memory if the machine has more"};
  } catch (const std::exception& e) {
    return Classify({Code::kInternal, e.what(), ""});
  } catch (...) {
    return Error{Code::kInternal, "the runtime threw something that is no std::exception", ""};
  }
}

}  // namespace assay::engine
