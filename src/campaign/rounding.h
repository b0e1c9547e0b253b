// What fp32 can do to a model's outputs, as measured by running it in fp32 and in fp64 with results
// moved by its rounding (engines/pytorch/rounding.py). Pure.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/result.h"
#include "campaign/outputs.h"

namespace assay::campaign {

/// Of one output; by set of inputs.
struct Rounding {
  std::vector<double> reach = {};  // the greatest L2 distance from fp64 that was seen
  std::vector<double> again = {};  // the L2 distance of fp64 from itself, run once more
  std::vector<double> norm = {};   // L2, of fp64
  bool draws = false;              // whether the model draws anything at random
};
using Roundings = std::map<std::string, Rounding>;  // by output

/// numbers  what the job of engines/pytorch/rounding.py wrote
/// Errors   kMalformed when it is of other outputs than golden.
Result<Roundings> RoundingsFrom(const Outputs& numbers, const Outputs& golden);

/// A run in fp32 is one more sample of what fp32 does.
void Extend(const Outputs& golden, const Outputs& run, Roundings& roundings);

/// The L2 distance that fp32 reaches over `sets`, empty for all.
double ReachOver(const Rounding& rounding, const Sets& sets);

/// Why an output cannot be judged: it does not repeat. "" when it does.
std::string Unrepeatable(const Rounding& rounding);

/// The sets on which fp32 does about the least to the outputs, two at least; the others tell
/// little.
Sets WellConditioned(const Roundings& roundings);

}  // namespace assay::campaign
