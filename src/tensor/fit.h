// Whether a checkpoint is a model's: strictly by name and shape, so that nothing is silently left
// as it was; and how each of the model's tensors is then made from it.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "tensor/checkpoint.h"

namespace assay::tensor {

/// What the model calls a tensor of the checkpoint; "" when it is no part of it. Several may be
/// parts of one: they follow each other along its first axis, as a query, a key and a value
/// projection do in one of all three.
struct Target {
  std::string name;
  std::size_t part = 0, parts = 1;
};

/// Another project's spelling of the same model.
struct Spelling {
  std::string origin;                                             // "timm", for messages
  std::function<std::optional<Target>(const std::string&)> read;  // nothing: the name as it is
};

struct Subject {  // of a message
  std::string file, model, hint;
};

/// The tensors that make one of the model's: one, or its parts in order.
using Parts = std::vector<const Stored*>;

/// What makes each of `wanted`, in that order. Equal shapes, and types that Convert knows; with a
/// spelling, axes of length 1 may be elsewhere. Passed over: num_batches_tracked, position_ids,
/// attention masks, the bins of YOLOv8's decoding (no model is changed by
/// them), what a spelling says is no part of the model; a head that shares the embedding's weight
/// may be absent, or present as well. Errors  kInvalidArgument listing what is missing (with the
/// nearest names), of another type,
///         unexpected.
Result<std::vector<Parts>> Fit(const Checkpoint& checkpoint, const std::vector<Declared>& wanted,
                               const Subject& subject, const Spelling* spelling = nullptr);

/// Feeds the bytes of `parts` to `sink`, converted to `wanted`.
Status Feed(const Parts& parts, DType wanted, const Sink& sink);

}  // namespace assay::tensor
