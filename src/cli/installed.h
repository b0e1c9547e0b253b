// Which engines are here: every assay-engine-NAME beside the program is asked to describe itself.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "engine/protocol.h"

namespace assay::cli {

/// The folder of this program: engines are looked for there.
std::filesystem::path ProgramFolder();

/// True with ASSAY_TEST_ENGINES=1: the fake engine may be asked for.
bool TestEnginesAllowed();

/// The engines that the registry's routes name, here or not, and others that are here. All are
/// asked at once; one that crashes, hangs or answers nonsense is unavailable for that reason.
std::vector<engine::Description> InstalledEngines();

}  // namespace assay::cli
