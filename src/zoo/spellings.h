// How other projects name the tensors of models of the zoo, where their checkpoints hold the same
// model: same layers, same shapes, same constants.
#pragma once

#include <optional>
#include <string_view>

#include "base/result.h"
#include "tensor/fit.h"

namespace assay::zoo {

/// The spelling in which `checkpoint` is written; nothing when it has the zoo's own names, or none
/// that is known.
/// Errors  kInvalidArgument when it is known to hold another model, with what is different.
Result<std::optional<tensor::Spelling>> SpellingOf(const tensor::Checkpoint& checkpoint,
                                                   std::string_view family, std::string_view file);

}  // namespace assay::zoo
