// Checks of options that are numbers, with messages that people can read.
#pragma once

#include <CLI/CLI.hpp>

namespace assay::cli {

/// A finite number from `low` to `high`, both included. The option's type says whether it is whole.
CLI::Validator Between(double low, double high);

}  // namespace assay::cli
