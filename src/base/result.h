// Result<T>: a value or an Error; how everything here reports failure. Our code does not throw;
// exceptions of libraries are caught where they enter.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <variant>

namespace assay {

/// What kind of failure it was; decides the exit status (see ExitStatus in cli/).
enum class Code {
  kInvalidArgument,  // the user's value is wrong: unknown name, bad number
  kMalformed,        // a file that cannot be read as what it should be
  kNotFound,         // a file or an entry that is not there
  kUnsupported,      // understood, but impossible with this model, machine or runtime
  kUnavailable,      // a requirement is missing here (engine, package, device)
  kIo,               // the operating system refused: disk full, no permission
  kTimedOut,
  kOutOfMemory,
  kCrashed,  // another process died
  kInterrupted,
  kInternal,  // assay's own failure
};

/// message  what failed and with which value, one line, no full stop
/// hint     what to do about it, one line; may be empty
struct Error {
  Code code = Code::kInternal;
  std::string message;
  std::string hint;
};

template <typename T>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}
  Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}

  bool ok() const { return state_.index() == 0; }
  explicit operator bool() const { return ok(); }
  T& operator*() & { return std::get<0>(state_); }
  const T& operator*() const& { return std::get<0>(state_); }
  T&& operator*() && { return std::get<0>(std::move(state_)); }
  T* operator->() { return &std::get<0>(state_); }
  const T* operator->() const { return &std::get<0>(state_); }
  const Error& error() const& { return std::get<1>(state_); }
  Error&& error() && { return std::get<1>(std::move(state_)); }

 private:
  std::variant<T, Error> state_;
};

template <>
class [[nodiscard]] Result<void> {
 public:
  Result() = default;
  Result(Error error) : error_(std::move(error)) {}

  bool ok() const { return !error_.has_value(); }
  explicit operator bool() const { return ok(); }
  const Error& error() const& { return *error_; }
  Error&& error() && { return *std::move(error_); }

 private:
  std::optional<Error> error_;
};

using Status = Result<void>;

#define ASSAY_CONCAT_(a, b) a##b
#define ASSAY_CONCAT(a, b) ASSAY_CONCAT_(a, b)

/// Returns the error of `expression` from the enclosing function, if it is one.
#define ASSAY_TRY(expression)                                   \
  do {                                                          \
    if (auto assay_status = (expression); !assay_status.ok()) { \
      return std::move(assay_status).error();                   \
    }                                                           \
  } while (false)

/// Declares or assigns `target` from the value of `expression`, or returns its error.
#define ASSAY_ASSIGN(target, expression) \
  ASSAY_ASSIGN_(ASSAY_CONCAT(assay_result_, __LINE__), target, expression)
#define ASSAY_ASSIGN_(result, target, expression) \
  auto result = (expression);                     \
  if (!result.ok()) {                             \
    return std::move(result).error();             \
  }                                               \
  target = *std::move(result)

}  // namespace assay
