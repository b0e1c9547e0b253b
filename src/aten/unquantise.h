// A quantised model without its quantisation: what the rounding of its activations is measured by.
#pragma once

#include "model/graph.h"

namespace assay::aten {

/// The graph with each DequantizeLinear of what a QuantizeLinear made as a Clip of that one's input
/// to what the integers can hold: nothing is rounded on the way, but the limits stay, since
/// quantisers leave out a Relu that they make superfluous. Pairs whose scale or zero point is not
/// one constant number, or whose numbers are not float32, stay as they are, and so do weights that
/// are stored quantised.
model::Graph WithoutQuantisation(model::Graph graph);

}  // namespace assay::aten
