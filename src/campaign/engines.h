// What the engines of a campaign say about themselves before anything is measured.
#pragma once

#include <map>
#include <set>
#include <string>

#include "base/result.h"
#include "campaign/worker.h"
#include "engine/protocol.h"

namespace assay::campaign {

/// By engine: its description, or why there is none.
using Descriptions = std::map<std::string, Result<engine::Description>>;

/// Asks all of `engines` at once. `available` false becomes kUnavailable with the engine's reason,
/// another protocol version kUnavailable with the remedy.
Descriptions DescribeEngines(const std::set<std::string>& engines, double timeout_s,
                             Workshop& workshop);

}  // namespace assay::campaign
