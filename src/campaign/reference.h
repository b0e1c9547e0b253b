// The outputs that others are judged by: golden, its fp32 twin, the plain run of each reduced class
// and the witness, computed once in
// workers of their own, kept below home/references, found there by later runs.
#pragma once

#include <cstdint>
#include <vector>

#include "campaign/progress.h"
#include "campaign/setting.h"
#include "campaign/verdict.h"
#include "campaign/worker.h"

namespace assay::campaign {

struct ComputedReferences {
  References references;             // what could not be computed is absent, with the reason
  std::uint64_t peak_rss_bytes = 0;  // of the largest of them
  /// Whether a model with another batch than its file's computes what the file does, row by row;
  /// kInvalidArgument when not, kUnsupported when nothing here could tell. Good for all others.
  Status batch;
};

/// What golden gives, and the same in fp32; or without it the witness. ComputeReferences finds them
/// then. Errors  those of the witness, where golden cannot be had either.
Result<std::vector<Outputs>> FirstReferences(const Setting& setting, Workshop& workshop,
                                             Progress& progress);

/// plains  conversion::PlainOf of the arms, each once
ComputedReferences ComputeReferences(const Setting& setting,
                                     const std::vector<conversion::Recipe>& plains,
                                     Workshop& workshop, Progress& progress);

}  // namespace assay::campaign
