// What one operator asks of one of its operands. Internal to the reading of domains.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "model/domain.h"
#include "model/graph.h"

namespace assay::model {

/// A node that reads a value as its operand of that number.
struct Use {
  const Graph& graph;
  const Node& node;
  std::size_t operand = 0;

  const Value* At(std::size_t i) const;                           // null when left out
  std::optional<tensor::Shape> Shape(std::size_t i) const;        // nothing when it is not known
  std::optional<std::vector<double>> Known(std::size_t i) const;  // of a constant
  std::optional<double> Scalar(std::size_t i) const;              // of a constant of one value only
  std::int64_t Size(std::size_t i, std::int64_t axis) const;      // 0 when it is not known
  std::string Name(std::size_t i) const;
  std::string Quoted(std::size_t i) const { return "'" + Name(i) + "'"; }
};

enum class Force {
  kMust,      // else it fails, or gives NaN
  kTypical,   // what people feed it
  kCompared,  // else a comparison always ends the same way
  kGuess,
};

struct Demand {
  Force force = Force::kMust;
  Domain domain;  // its ranges may be open
};

// Of the operand itself. Empty for nothing.
using Demands = std::vector<Demand>;
Demands DemandsOf(const Use& use);

/// One row of the tables that DemandsOf reads.
struct Rule {
  std::string_view domain, op;  // "" is the standard's
  std::size_t operand;
  Demands (*demands)(const Use& use);
};
using Rules = std::vector<Rule>;
const Rules& IndexRules();    // rows, labels, lengths
const Rules& SizeRules();     // what decides shapes
const Rules& NumberRules();   // roots, logarithms, pixels, masks, comparisons
const Rules& RuntimeRules();  // ai.onnx.ml and com.microsoft

/// One demand with one range.
Demands One(Force force, Range range, std::string reason);
/// One that is `values` along the last axis.
Demands Exactly(const std::vector<std::int64_t>& values, std::string reason);

}  // namespace assay::model
