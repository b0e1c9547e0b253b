// Copies of an ONNX file that give other values of the graph as outputs, to look inside a runtime.
#pragma once

#include <filesystem>
#include <vector>

#include "base/result.h"
#include "model/graph.h"

namespace assay::model {

/// Writes the graph of `onnx` to `to`, in the same folder as its weights, with `values` as its only
/// outputs. Returns those of them that a node of the file makes: others are left out.
///
/// graph   of the same file
/// values  typed
/// Errors  those of ParseModel; kIo; kNotFound when the file makes none of them.
Result<std::vector<ValueId>> WriteShowing(const std::filesystem::path& onnx, const Graph& graph,
                                          const std::vector<ValueId>& values,
                                          const std::filesystem::path& to);

}  // namespace assay::model
