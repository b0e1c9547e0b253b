// Tiers: ready choices of conversions, from a quick look to everything there is. Pure.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "conversion/select.h"

namespace assay::conversion {

struct Tier {
  int number = 1;
  const char* meaning;  // in words
};
const std::vector<Tier>& Tiers();

/// The arms of the tier written as "1", "2" or "3", in order:
///
///   1  EAGER and COMPILE_INDUCTOR_DEFAULT
///   2  the routes by which models are deployed, and for each the same route in fewer bits: bf16
///      where the CPU has its arithmetic, else int8 kernels, else nothing
///   3  every name of the registry; fp16 is left out (Choice::left_out) where it is emulated
///
/// "3@fake" puts those that may run here on the engine of tests, where that is allowed.
/// Errors  kInvalidArgument for any other word.
Result<std::vector<Choice>> TierChoices(const std::string& tier, const Host& host,
                                        TestEngines test_engines = TestEngines::kRefused);

}  // namespace assay::conversion
