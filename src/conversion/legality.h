// What can be known without starting anything of whether a conversion runs on a machine. Pure.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "conversion/conversion.h"

namespace assay::conversion {

/// What of a machine decides.
struct Host {
  std::vector<std::string> isa;                // instruction sets, as /proc/cpuinfo spells them
  std::vector<std::string> devices = {"cpu"};  // "cuda"
};

struct Legality {
  Status able;          // or kUnsupported: why it does not run, and the nearest that does
  std::string warning;  // what to expect of one that runs, "" for nothing
  bool slow = false;    // so slow, to all that is known, that a few rounds must do
};

Legality LegalityOf(const Conversion& conversion, const Host& host);

/// Whether the CPU computes in numbers of this precision ("bf16"), or has to emulate them.
bool HasArithmetic(const std::string& precision, const Host& host);

/// Instruction sets of which one is wanted. Nothing for numbers that every CPU computes in.
struct IsaNeed {
  std::vector<std::string> any_of;
  bool required = false;  // else it runs without them, and `without` is a warning
  std::string without;    // what it means that there is none
  bool slow = false;      // without them it is slower by far
};
std::optional<IsaNeed> IsaNeedOf(const Recipe& recipe);

}  // namespace assay::conversion
