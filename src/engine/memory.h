// This process's memory as the kernel tells it in /proc/self.
#pragma once

#include <string_view>

#include "base/result.h"
#include "engine/protocol.h"

namespace assay::engine {

/// Picks VmHWM and RssFile out of the text of /proc/PID/status.
/// Errors  kMalformed when one is missing.
Result<Memory> ParseStatus(std::string_view status);

Result<Memory> ReadMemory();

/// Makes the resident memory of now the peak.
/// Errors  kIo where the kernel has no such reset.
Status ResetPeak();

}  // namespace assay::engine
