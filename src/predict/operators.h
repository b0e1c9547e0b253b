// The table of operators: of each its kind, its operations beyond multiply-adds, and what it reads.
// Internal to this room; docs/predicting.md has the same figures for people.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "model/graph.h"
#include "predict/cost.h"

namespace assay::predict {

/// What an exponential, logarithm, sine, tanh or error function is counted as: range reduction and
/// a polynomial of degree five to seven (Cephes, expf and erff).
inline constexpr std::uint64_t kTranscendental = 8;

/// Operations of one node that are no multiply-adds of CountMacs.
using Operations = std::uint64_t (*)(const model::Graph&, const model::Node&);

enum class Reads {
  kInputs,  // every input once
  kPicked,  // of the first input only as many elements as come out
  kShape,   // nothing but shapes
};

struct Operator {
  std::string_view op;
  Kind kind = Kind::kVector;
  Operations operations = nullptr;  // none
  Reads reads = Reads::kInputs;
};

/// Null for an operator without a row.
const Operator* FindOperator(const model::Node& node);
/// All of them, sorted by name.
std::vector<std::string_view> KnownOperators();

std::uint64_t OutputElements(const model::Graph& graph, const model::Node& node);
std::uint64_t InputElements(const model::Graph& graph, const model::Node& node, std::size_t input);

}  // namespace assay::predict
