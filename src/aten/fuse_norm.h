// The groups of layer norm and RMS norm; see fuse.h.
#pragma once

#include <cstddef>

#include "aten/graph_editor.h"

namespace assay::aten {

/// d / sqrt(mean(d * d) + eps) over the last dimension, the quotient as Div or as Mul by the
/// reciprocal, then * weight and + bias as far as they follow. Where d is x - mean(x) that is a
/// layer norm, else an RMS norm. Recognised from the quotient.
/// Source  Ba, Kiros, Hinton, arXiv 1607.06450, equation 4; Zhang, Sennrich, arXiv 1910.07467,
///         equation 4.
void FuseNorm(GraphEditor& graph, std::size_t quotient);

}  // namespace assay::aten
