// The grammar of names: a name is parts joined by "+", and each part adds its bit to the recipe.
#pragma once

#include <string>
#include <vector>

#include "conversion/conversion.h"

namespace assay::conversion {

/// The conversion that `name` is the name of. All parts of it must be in the table.
Conversion Compose(int id, const std::string& name);

/// Every part that names are made of: "EXPORT", "FP16", ...
std::vector<std::string> PartNames();

}  // namespace assay::conversion
