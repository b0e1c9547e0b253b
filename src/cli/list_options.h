// What the list verbs share: `--format`, and a NAME that asks for one item in full.
#pragma once

#include <CLI/CLI.hpp>
#include <string>

#include "base/result.h"
#include "report/list.h"

namespace assay::cli {

struct ListOptions {
  std::string name;  // "" for all
  std::string format = "text";

  /// Adds --format, and NAME called `what` in the help ("a model").
  void AddTo(CLI::App& verb, const char* what);
};

/// Adds `--format text|json|csv|markdown`.
void AddFormat(CLI::App& verb, std::string& format);
/// Errors  kInvalidArgument with the formats there are.
Result<report::Format> FormatOf(const std::string& format);

/// Prints the list, or the item whose `key` is `options.name`, ignoring case.
/// Errors  kInvalidArgument with the nearest names.
Result<int> PrintList(const report::List& list, const ListOptions& options,
                      const std::string& key = "name");

}  // namespace assay::cli
