// Many artifacts prepared side by side. preparation.h has how one is.
#pragma once

#include <cstddef>
#include <functional>
#include <span>

#include "campaign/preparation.h"

namespace assay::campaign {

struct Crew {
  int at_once = 1;                   // preparations, as far as memory allows
  std::uint64_t expected_bytes = 0;  // resident, of a preparation, before one was seen
};

/// Prepares all of `specs`, in their order but for those that have to wait: for memory, for the
/// lock of another run, or (PreparationSpec::alone) until nothing else is under way.
///
/// done  called once for each, as it ends, with its place; not for those that a signal forestalled
void PrepareAll(std::span<const PreparationSpec> specs, const Crew& crew,
                const std::filesystem::path& root, Workshop& workshop, Progress& progress,
                const std::function<void(std::size_t, Result<Artifact>)>& done);

}  // namespace assay::campaign
