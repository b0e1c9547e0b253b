// From a name to its conversion: the parts' doing, the engines that serve it, what comes near it.
#pragma once

#include <string>

#include "conversion/conversion.h"

namespace assay::conversion {

/// The conversion that `name` is the name of. All parts of it must be in the table of parts.h.
Conversion Compose(int id, const std::string& name);

}  // namespace assay::conversion
