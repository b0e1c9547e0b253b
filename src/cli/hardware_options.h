// Which processor is meant: a profile's name, a path to a profile, or this machine.
#pragma once

#include <string>

#include "base/result.h"
#include "hardware/profile.h"

namespace assay::cli {

/// Whether this machine is meant: by "this", or by its processor's name, as `assay hardware` lists
/// it, where that is no profile's.
bool IsThisMachine(const std::string& name);

/// name  "i7-12700K", "my.json", or this machine, which is measured for about a second the first
///       time
/// Errors  kInvalidArgument: unknown or of several, with the choices; kNotFound, kMalformed of a
///         file; those of detection.
Result<hardware::Profile> FindHardware(const std::string& name);

}  // namespace assay::cli
