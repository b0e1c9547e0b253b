// The command that measures an arm again, from the options that differ from what `run` takes by
// itself. Pure.
#pragma once

#include <string>

#include "campaign/campaign.h"

namespace assay::campaign {

/// " --samples 500 --threads 1": every option that is not at its default, "" for none.
std::string RepeatOptions(const Options& options);
/// The same of those that mean something to an arm that is calibrated only.
std::string CalibrationOptions(const Options& options);

}  // namespace assay::campaign
