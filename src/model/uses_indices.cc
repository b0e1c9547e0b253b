// Operands that pick something: rows, labels, places, lengths.
#include <fmt/format.h>

#include "model/uses.h"

namespace assay::model {
namespace {

Demands Rows(std::int64_t rows, std::string reason) {
  return rows <= 0 ? Demands{}
                   : One(Force::kMust, {0, static_cast<double>(rows - 1), true}, std::move(reason));
}

Demands Picks(const Use& use) {
  return Rows(use.Size(0, use.node.Int("axis", 0)), "rows of " + use.Quoted(0));
}

Demands Writes(const Use& use) {
  Demands demands = Rows(use.Size(0, use.node.Int("axis", 0)), "places in " + use.Quoted(0));
  const auto rank = static_cast<std::int64_t>(use.Shape(0).value_or(tensor::Shape{}).size());
  const std::int64_t axis = use.node.Int("axis", 0);
  for (Demand& demand : demands) {
    demand.domain.distinct = static_cast<std::size_t>(axis < 0 ? axis + rank : axis);
  }
  return demands;
}

/// Tuples along the last axis, each of its places an index into another axis of the data.
Demands Tuples(const Use& use, bool writes) {
  const std::int64_t places = use.Size(use.operand, -1);
  Domain domain{.reason = "places in " + use.Quoted(0)};
  for (std::int64_t place = 0; place < places; ++place) {
    const std::int64_t size = use.Size(0, use.node.Int("batch_dims", 0) + place);
    if (size <= 0) {
      return {};
    }
    domain.each.push_back({0, static_cast<double>(size - 1), true});
  }
  if (writes) {
    domain.distinct = 0;
  }
  return domain.each.empty() ? Demands{} : Demands{{Force::kMust, std::move(domain)}};
}
Demands ReadsTuples(const Use& use) { return Tuples(use, false); }
Demands WritesTuples(const Use& use) { return Tuples(use, true); }

Demands Classes(const Use& use) {
  const std::optional<double> depth = use.Scalar(1);
  return depth ? Rows(static_cast<std::int64_t>(*depth), fmt::format("one of {} classes", *depth))
               : Demands{};
}

Demands Labels(const Use& use) {
  return Rows(use.Size(0, 1), fmt::format("one of {} classes", use.Size(0, 1)));
}

Demands UnpooledPlaces(const Use& use) {
  const auto shape = use.Shape(0);
  const auto elements = shape ? tensor::ElementCount(*shape) : Error{};
  Demands demands =
      elements.ok() ? Rows(static_cast<std::int64_t>(*elements), "places to unpool to") : Demands{};
  for (Demand& demand : demands) {
    demand.domain.distinct = shape->size();  // no axis: among all
  }
  return demands;
}

Demands Lengths(std::int64_t most) {
  return most <= 0 ? Demands{}
                   : One(Force::kMust, {1, static_cast<double>(most), true},
                         fmt::format("lengths up to {}", most));
}
Demands RecurrentLengths(const Use& use) {
  return Lengths(use.Size(0, use.node.Int("layout", 0) == 0 ? 0 : 1));
}
Demands ReversedLengths(const Use& use) {
  return Lengths(use.Size(0, use.node.Int("time_axis", 0)));
}
Demands KeyLengths(const Use& use) { return Lengths(use.Size(1, -2)); }

Demands Images(const Use& use) { return Rows(use.Size(0, 0), "images of the batch"); }

Demands Positions(const Use& use) { return Rows(use.Size(1, 0), "rows of " + use.Quoted(1)); }

}  // namespace

const Rules& IndexRules() {
  static const Rules kRules = {
      {"", "Gather", 1, Picks},
      {"", "GatherElements", 1, Picks},
      {"", "GatherND", 1, ReadsTuples},
      {"", "Scatter", 1, Writes},
      {"", "ScatterElements", 1, Writes},
      {"", "ScatterND", 1, WritesTuples},
      {"", "OneHot", 0, Classes},
      {"", "NegativeLogLikelihoodLoss", 1, Labels},
      {"", "SoftmaxCrossEntropyLoss", 1, Labels},
      {"", "MaxUnpool", 1, UnpooledPlaces},
      {"", "RoiAlign", 2, Images},
      {"", "RotaryEmbedding", 3, Positions},
      {"", "RNN", 4, RecurrentLengths},
      {"", "LSTM", 4, RecurrentLengths},
      {"", "GRU", 4, RecurrentLengths},
      {"", "ReverseSequence", 1, ReversedLengths},
      {"", "Attention", 6, KeyLengths},
  };
  return kRules;
}

}  // namespace assay::model
