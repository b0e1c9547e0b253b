// Decompositions back to what the author wrote: exporters spell attention, GELU, layer norm and
// linear layers as several operators. Fuse rewrites such a group as one node, so that each
// operator needs one lowering rule, whichever way the file spells it. Graph in, graph out.
#pragma once

#include <string_view>

#include "model/graph.h"

namespace assay::aten {

/// Domain of the nodes that Fuse makes where the standard has no fitting operator:
///   Linear     inputs x, weight, bias?; int transB (weight is [out, in]); x of any rank
///   Attention  inputs query, key, value [batch, heads, length, width], mask?; float scale, 0 for
///              the default 1/sqrt(width); int is_causal, 1 instead of a mask of that kind
///   Silu       input x: x * sigmoid(x)
inline constexpr std::string_view kFusedDomain = "assay";

/// The graph with every known group as one node, and without nodes whose outputs are constants or
/// read by nobody. Intermediate results that something else reads keep their group apart.
model::Graph Fuse(const model::Graph& graph);

}  // namespace assay::aten
