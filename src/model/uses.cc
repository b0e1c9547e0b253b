#include "model/uses.h"

#include <algorithm>

#include "model/fold_numbers.h"

namespace assay::model {

const Value* Use::At(std::size_t i) const {
  const bool there = i < node.inputs.size() && node.inputs[i] != kNone;
  return there ? &graph.values[static_cast<std::size_t>(node.inputs[i])] : nullptr;
}

std::optional<tensor::Shape> Use::Shape(std::size_t i) const {
  const Value* value = At(i);
  return value == nullptr || !value->Typed() ? std::nullopt : std::optional(value->type.shape);
}

std::optional<std::vector<double>> Use::Known(std::size_t i) const {
  const Value* value = At(i);
  if (value == nullptr || !value->constant) {
    return std::nullopt;
  }
  const std::optional<Numbers> numbers = Decode(*value->constant);
  return numbers && !numbers->empty()
             ? std::optional(std::vector<double>(numbers->begin(), numbers->end()))
             : std::nullopt;
}

std::optional<double> Use::Scalar(std::size_t i) const {
  const std::optional<std::vector<double>> known = Known(i);
  const bool same = known && std::all_of(known->begin(), known->end(),
                                         [&](double x) { return x == known->front(); });
  return same ? std::optional(known->front()) : std::nullopt;
}

std::int64_t Use::Size(std::size_t i, std::int64_t axis) const {
  const std::optional<tensor::Shape> shape = Shape(i);
  const auto rank = static_cast<std::int64_t>(shape ? shape->size() : 0);
  axis += axis < 0 ? rank : 0;
  const bool there = axis >= 0 && axis < rank;
  return there ? std::max<std::int64_t>(0, (*shape)[static_cast<std::size_t>(axis)]) : 0;
}

std::string Use::Name(std::size_t i) const {
  const Value* value = At(i);
  return value == nullptr ? "" : value->name;
}

Demands One(Force force, Range range, std::string reason) {
  return {{force, {.each = {range}, .reason = std::move(reason)}}};
}

Demands Exactly(const std::vector<std::int64_t>& values, std::string reason) {
  Domain domain{.reason = std::move(reason)};
  for (const std::int64_t value : values) {
    domain.each.push_back({static_cast<double>(value), static_cast<double>(value), true});
  }
  return values.empty() ? Demands{} : Demands{{Force::kMust, std::move(domain)}};
}

Demands DemandsOf(const Use& use) {
  for (const Rules* rules : {&IndexRules(), &SizeRules(), &NumberRules(), &RuntimeRules()}) {
    for (const Rule& rule : *rules) {
      if (rule.operand == use.operand && rule.op == use.node.op &&
          rule.domain == (use.node.domain == "ai.onnx" ? "" : use.node.domain)) {
        return rule.demands(use);
      }
    }
  }
  return {};
}

}  // namespace assay::model
