// The attention group; see fuse.h.
#pragma once

#include <cstddef>

#include "aten/graph_editor.h"

namespace assay::aten {

/// MatMul(Softmax(scale * MatMul(q, transposed k) + mask), v), the scale before or after the first
/// product, as Mul or Div, on either operand or both; recognised from its Softmax.
/// Source  Vaswani et al., arXiv 1706.03762, equation 1.
void FuseAttention(GraphEditor& graph, std::size_t softmax);

}  // namespace assay::aten
