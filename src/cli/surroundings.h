// What a campaign is told about this machine and this installation.
#pragma once

#include "campaign/campaign.h"
#include "hardware/machine.h"

namespace assay::cli {

conversion::Host HostOf(const hardware::Machine& machine);

/// Engines beside this program, files in HomeDirectory(); no profile, nothing mistrusted.
campaign::Surroundings SurroundingsOf(const hardware::Machine& machine);

}  // namespace assay::cli
