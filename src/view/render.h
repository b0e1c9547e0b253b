// Listings as text for people and as DOT for graphviz.
#pragma once

#include <string>
#include <vector>

#include "report/table.h"
#include "view/listing.h"

namespace assay::view {

/// Inputs, a table of the steps, outputs, totals, and how to read it.
std::string Text(const Listing& listing, const report::Style& style);

/// A digraph: a box for each step with its weights, an ellipse for each input and output, an edge
/// with its type for each value read. Several listings become clusters of one digraph.
/// Source  graphviz.org/doc/info/lang.html (DOT), doc/info/attrs.html (escString)
std::string Dot(const std::vector<Listing>& listings);

/// The graph breaks, with reasons and places; "" for none.
std::string Text(const std::vector<Break>& breaks, const report::Style& style);

}  // namespace assay::view
