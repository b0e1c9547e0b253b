#include "cli/number.h"

#include <fmt/format.h>

#include <cstdlib>
#include <string>

namespace assay::cli {

CLI::Validator Between(double low, double high) {
  const auto check = [low, high](const std::string& text) {
    char* end = nullptr;
    const double number = std::strtod(text.c_str(), &end);
    // Written so that nan is no number.
    const bool good = !text.empty() && *end == '\0' && number >= low && number <= high;
    return good ? std::string() : fmt::format("'{}' is no number from {} to {}", text, low, high);
  };
  return {check, ""};
}

}  // namespace assay::cli
