// What the engines of a campaign say about themselves before anything is measured.
#pragma once

#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <vector>

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

/// Whether one of `engines`, asked in this order, can read the file; also when none of them is here
/// to tell. Errors  kUnsupported where the first that answered lacks an operator, else kMalformed,
/// with its words.
Status CheckReadable(const std::filesystem::path& onnx, const std::vector<std::string>& engines,
                     double timeout_s, Workshop& workshop);

}  // namespace assay::campaign
