// Which of the random inputs a campaign runs on: those on which the model gives numbers.
#pragma once

#include "base/result.h"
#include "campaign/progress.h"
#include "campaign/setting.h"
#include "campaign/worker.h"

namespace assay::campaign {

/// Runs the first reference of each model on its inputs. Where that is NaN or infinite somewhere,
/// or cannot be computed, draws again, more gently (draw.h), up to kGentlest times, and keeps what
/// gives the fewest NaN, then the fewest infinities, the first of equals. Inputs that the user
/// gives stay. The same model, seed and engines give the same choice; references are kept, so that
/// it is quick from the second run on. Errors  those of DrawInputs.
Status ChooseInputs(Settings& settings, Workshop& workshop, Progress& progress);

}  // namespace assay::campaign
