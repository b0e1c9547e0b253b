#include "hardware/tree.h"

#include <algorithm>
#include <charconv>
#include <sstream>

#include "base/file.h"
#include "base/text.h"

namespace assay::hardware {
namespace {

constexpr std::string_view kSpace = " \t\n\r";
constexpr std::uint64_t kMostCpus = 65536;  // beyond the kernel's NR_CPUS

std::string_view Trim(std::string_view text) {
  const std::size_t first = text.find_first_not_of(kSpace);
  return first == std::string_view::npos
             ? std::string_view()
             : text.substr(first, text.find_last_not_of(kSpace) - first + 1);
}

}  // namespace

std::optional<std::string> Tree::Text(const std::string& path) const {
  auto content = ReadFile(root_ / path);
  if (!content) {
    return std::nullopt;
  }
  return std::string(Trim(*content));
}

std::optional<std::uint64_t> Tree::Number(const std::string& path) const {
  const auto text = Text(path);
  return text ? ParseNumber(*text) : std::nullopt;
}

std::optional<std::string> Tree::Field(const std::string& path, std::string_view key) const {
  std::istringstream lines(Text(path).value_or(""));
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with(key)) {
      continue;
    }
    std::string_view rest = Trim(std::string_view(line).substr(key.size()));
    if (rest.starts_with(':')) {
      rest = Trim(rest.substr(1));
    } else if (!key.ends_with('=') && line.size() > key.size() &&
               kSpace.find(line[key.size()]) == kSpace.npos) {
      continue;  // a longer key that begins like this one
    }
    return std::string(rest);
  }
  return std::nullopt;
}

std::optional<std::uint64_t> Tree::NumberField(const std::string& path,
                                               std::string_view key) const {
  const auto text = Field(path, key);
  return text ? ParseNumber(*text) : std::nullopt;
}

std::vector<std::string> Tree::Names(const std::string& folder) const {
  std::vector<std::string> names;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(root_ / folder, error)) {
    names.push_back(entry.path().filename());
  }
  std::sort(names.begin(), names.end());
  return names;
}

std::optional<std::uint64_t> ParseNumber(std::string_view text) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() ? std::optional(number) : std::nullopt;
}

std::vector<int> ParseCpuList(std::string_view text) {
  std::vector<int> cpus;
  for (const std::string& part : Split(text, ',')) {
    const std::string_view range = Trim(part);
    const auto first = ParseNumber(range);
    const std::size_t dash = range.find('-');
    const auto last = dash == range.npos ? first : ParseNumber(range.substr(dash + 1));
    if (first && last && *last < kMostCpus) {
      for (std::uint64_t cpu = *first; cpu <= *last; ++cpu) {
        cpus.push_back(static_cast<int>(cpu));
      }
    }
  }
  return cpus;
}

}  // namespace assay::hardware
