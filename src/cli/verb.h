// A verb of the command line: its options, registered with the parser, and what it does once they
// are read. Each has a file of its own with one of the functions below.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <string>
#include <vector>

#include "base/result.h"

namespace assay::cli {

struct Verb {
  CLI::App* options = nullptr;
  /// command  as typed, for the record. Returns the exit status, or an error that is printed.
  std::function<Result<int>(const std::vector<std::string>& command)> run;
};

Verb AddRun(CLI::App& app);
Verb AddModels(CLI::App& app);
Verb AddConversions(CLI::App& app);
Verb AddEngines(CLI::App& app);
Verb AddHardware(CLI::App& app);
Verb AddDoctor(CLI::App& app);
Verb AddExport(CLI::App& app);
Verb AddGraph(CLI::App& app);
Verb AddReport(CLI::App& app);
Verb AddCompare(CLI::App& app);
Verb AddAnalyze(CLI::App& app);
Verb AddProfile(CLI::App& app);
Verb AddCache(CLI::App& app);

}  // namespace assay::cli
