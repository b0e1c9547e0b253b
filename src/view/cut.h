// A part of a listing: everything on the ways from one step to another.
#pragma once

#include <string>

#include "base/result.h"
#include "view/listing.h"

namespace assay::view {

/// The steps on all paths from `from` to `to`, both included. One of them may be "": everything
/// that depends on `from`, or that `to` depends on. What comes in from outside becomes the part's
/// inputs, what is read outside (or is an output) its outputs.
///
/// A name is that of a step, of one of its results, of what steps come from (then all of them are
/// meant), or of an input or weight (the steps that read it).
/// Errors  kInvalidArgument for a name that is not there, with the nearest, and when there is no
///         such path.
Result<Listing> Cut(const Listing& listing, const std::string& from, const std::string& to);

}  // namespace assay::view
