// Where in a graph a runtime begins to compute something else: the values between the nodes, shown
// as outputs, part by part, and held against the same values in fp64.
#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "base/result.h"
#include "campaign/campaign.h"
#include "campaign/setting.h"
#include "campaign/worker.h"
#include "conversion/recipe.h"
#include "conversion/select.h"
#include "model/model.h"

namespace assay::campaign {

struct NodeDifference {
  std::string node, op, value;  // value: the node's output that differs
  double relative_l2 = 0;       // of the whole value
  double allowed = 0;
};

struct NodeScan {
  std::size_t compared = 0, values = 0;  // of those that could be: fewer when time ran out
  std::optional<NodeDifference> first;   // in the order of the graph; nothing when all agree
};

/// The first node whose result on an engine is further from fp64 than fp32 explains. What a runtime
/// fuses it computes apart here, since each value between is asked for.
///
/// Errors  the program's when the model has none; those of the engine; kIo.
Result<NodeScan> ScanEngine(const Setting& setting, const std::string& engine,
                            const conversion::Recipe& recipe, double seconds, Workshop& workshop);

/// The same for a model that nothing is measured of, with random inputs of the seed.
///
/// choice  a conversion of the engine, which reads ONNX files and is prepared by none
Result<NodeScan> ScanModel(const model::Model& model, const conversion::Choice& choice,
                           const Options& options, const Surroundings& surroundings,
                           double seconds);

/// "node '/a/Conv' (Conv), whose result 'a' is off by 1.0e-02, 1.0e-04 is allowed", or that all
/// agree.
std::string Describe(const NodeScan& scan);

/// The first node after which fp32 by itself has lost a result: off by a thousandth or more.
Result<NodeScan> ScanRounding(const Setting& setting, double seconds, Workshop& workshop);

}  // namespace assay::campaign
