// The profiles of data/hardware, compiled in, and how they are found by the names that people use.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "hardware/profile.h"

namespace assay::hardware {

/// All of them, by name; read once. A file that breaks the schema fails the tests, and here is
/// left out.
const std::vector<Profile>& Profiles();

/// Whatever the case and separators. Never of nothing.
bool SameName(std::string_view a, std::string_view b);

/// By name or alias, whatever the case and separators: "h100 sxm5", "i7_12700k".
/// Errors  kInvalidArgument: a name of several ("H100") with the choices, an unknown one with the
///         nearest.
Result<Profile> FindProfile(std::string_view name);

/// A user's own file. Errors  kNotFound, kMalformed.
Result<Profile> ReadProfile(const std::string& path);

/// Content of each file of data/hardware.
std::vector<std::string_view> ProfileTexts();

}  // namespace assay::hardware
