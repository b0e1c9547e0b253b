// JSON: the library's type under our name, and parsing that does not throw.
#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string_view>

#include "base/result.h"
#include "base/text.h"

namespace assay {

/// Keeps the order in which keys were added, so that files read as they were meant.
using Json = nlohmann::ordered_json;

/// what  names the source in the error: a path, "the reply of assay-engine-torch"
Result<Json> ParseJson(std::string_view text, std::string_view what);
Result<Json> ReadJson(const std::filesystem::path& path);

/// Runs `read` (code that picks fields out of parsed JSON) and turns the library's exceptions for
/// missing keys and wrong types into an Error{kMalformed} that names `what`.
template <typename Read>
auto FromJson(std::string_view what, Read read) -> Result<decltype(read())> {
  try {
    return read();
  } catch (const nlohmann::json::exception& e) {
    return Error{Code::kMalformed, std::string(what) + ": " + OneLine(e.what()), ""};
  }
}

}  // namespace assay
