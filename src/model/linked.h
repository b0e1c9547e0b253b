// External data behind symbolic links, as the cache of Hugging Face lays it: which links are
// followed. Internal.
#pragma once

#include <filesystem>
#include <functional>

#include "base/result.h"

namespace onnx {
class GraphProto;
}

namespace assay::model {

/// Whether `graph` has data in other files, and one of those or `onnx` itself is a symbolic link:
/// not every reader follows it.
bool HasLinks(onnx::GraphProto& graph, const std::filesystem::path& onnx);

/// Runs `check` while initializers of `graph` behind links are empty tensors: ONNX's checker
/// refuses every link. A link is followed from below the folder of `onnx` to a plain file with one
/// name, which belongs to the user or to the owner of the link and lies in no place of the system.
/// Errors  kMalformed, naming the initializer, the link and its target; those of `check`.
Status CheckAsideLinks(onnx::GraphProto& graph, const std::filesystem::path& onnx,
                       const std::function<Status()>& check);

}  // namespace assay::model
