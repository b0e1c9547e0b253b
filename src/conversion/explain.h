// A conversion in words: what is done, what is timed, what it needs, when to use it. Pure.
#pragma once

#include <string>
#include <vector>

#include "conversion/conversion.h"

namespace assay::conversion {

struct Explanation {
  std::vector<std::string> steps;  // in order
  std::string timed;
  std::vector<std::string> needs;
  std::string use;   // when to use it
  std::string trap;  // what goes wrong with its kind, "" for nothing known
};

Explanation Explain(const Conversion& conversion);

}  // namespace assay::conversion
