// The parts that names are made of, joined by "+": what each does in words, and to the recipe.
#pragma once

#include <string>
#include <vector>

#include "conversion/conversion.h"

namespace assay::conversion {

struct Part {
  const char* name;
  const char* step;  // what is done; "with ...": how the step before it is done
  void (*apply)(Conversion&);
  std::vector<std::string> instead =
      {};  // where it cannot be had: parts that come near, best first
};

/// In no order that matters.
const std::vector<Part>& Parts();

}  // namespace assay::conversion
