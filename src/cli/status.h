// Exit statuses, and how an error is told.
#pragma once

#include "base/result.h"
#include "record/record.h"

namespace assay::cli {

inline constexpr int kGood = 0;
inline constexpr int kArmFailed = 1;
inline constexpr int kUsage = 2;
inline constexpr int kNothingRuns = 3;
inline constexpr int kOwnFailure = 4;
inline constexpr int kInterrupted = 130;  // 128 + SIGINT

int ExitStatus(Code code);

/// 0 when every arm is measured or unsupported and one at least is measured, 3 when all that was
/// asked for is unsupported here, else 1.
int ExitStatus(const record::Run& run);

/// "assay: error: MESSAGE" on stderr, and the hint on a line of its own.
void PrintError(const Error& error);

}  // namespace assay::cli
