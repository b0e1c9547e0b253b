// What stands in a line of a journal: measurements as JSON and back. Pure.
#pragma once

#include <string>

#include "base/json.h"
#include "base/result.h"
#include "campaign/measurements.h"
#include "campaign/rounds.h"

namespace assay::campaign {

/// All of an arm but its samples. Outputs are named by their file alone.
Json ToJson(const ArmLog& log);
/// The reverse, into `log`, whose samples stay. folder  of the outputs
void ReadInto(const Json& json, const std::filesystem::path& folder, ArmLog& log);

Json ToJson(const SessionLog& session);
SessionLog SessionFromJson(const Json& json);

Json ToJson(const Course& course);
Course CourseFromJson(const Json& json);

}  // namespace assay::campaign
