// From protobuf to the indexed graph: names to indices, static types, folded constants. Internal.
#pragma once

#include <filesystem>
#include <map>
#include <string>

#include "base/result.h"
#include "model/external.h"
#include "model/graph.h"

namespace onnx {
class ModelProto;
}

namespace assay::model {

/// Indexes a checked model. Nodes whose results are all known constants are left out: the values
/// carry them. Of an If whose condition is known the branch taken stands in its place. What has no
/// static type is there all the same, and Graph::unread says why. `dimensions` gives symbolic
/// dimensions a size, by their name or, where the file has none, as INPUT.AXIS. Errors
/// kInvalidArgument for a dimension without size or a size without dimension; those of
///         shape inference and of external data.
Result<Graph> IndexModel(const onnx::ModelProto& model, ExternalFiles& files,
                         const std::map<std::string, std::int64_t>& dimensions);

}  // namespace assay::model
