// ONNX to ATen: one lowering for every PyTorch engine.
#pragma once

#include "aten/program.h"
#include "base/result.h"
#include "model/graph.h"

namespace assay::aten {

/// Lowers a typed graph to the calls that eager PyTorch would make for the architecture it came
/// from: in place where eager is, attention as scaled_dot_product_attention, batch norm unfused.
/// Errors  kUnsupported naming operator and node.
Result<Program> Lower(const model::Graph& graph);

}  // namespace assay::aten
