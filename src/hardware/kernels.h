// Loops that keep a processor's units or its memory busy and nothing else, timed on several cores
// at once. They run on threads of their own, which end before the call returns.
#pragma once

#include <cstddef>
#include <vector>

namespace assay::hardware {

enum class Numbers { kFp32, kFp64, kBf16, kInt8 };

/// Operations a second (2 per multiply-add) of independent multiply-adds in registers, one thread
/// pinned to each of `cpus`, with the widest instruction set that this processor has; the best of
/// three spells of some tens of milliseconds. int8 by VNNI or, without it, by the three
/// instructions that stand for it; bf16 by its dot products; 0 where there is nothing of the kind.
/// Matrix units (AMX) are not among the instructions that are tried.
double FmaPerSecond(const std::vector<int>& cpus, Numbers numbers);

/// Bytes a second that all threads together read, each from `bytes` of its own; the best of three.
double ReadBytesPerSecond(const std::vector<int>& cpus, std::size_t bytes);

}  // namespace assay::hardware
