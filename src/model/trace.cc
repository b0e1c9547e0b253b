#include "model/trace.h"

#include <algorithm>
#include <cmath>
#include <deque>
#include <initializer_list>
#include <string_view>
#include <utility>

namespace assay::model {
namespace {

constexpr std::size_t kMostSteps = 2000;  // of one input: the graph is not searched for ever

bool IsOneOf(std::string_view op, std::initializer_list<std::string_view> ops) {
  return std::find(ops.begin(), ops.end(), op) != ops.end();
}

/// Elements of its first operand, all or some, each as it is.
bool Carries(std::string_view op) {
  return IsOneOf(op, {"Identity",     "Cast",         "CastLike",  "Reshape",  "Flatten",
                      "Unsqueeze",    "Squeeze",      "Transpose", "Expand",   "Tile",
                      "Pad",          "Slice",        "Split",     "Gather",   "GatherElements",
                      "GatherND",     "Dropout",      "Relu",      "MaxPool",  "ReverseSequence",
                      "DepthToSpace", "SpaceToDepth", "Imputer",   "Compress", "ReduceMax",
                      "ReduceMin",    "Trilu"});
}

/// Those of any operand.
bool Mixes(std::string_view op) {
  return IsOneOf(op, {"Concat", "Max", "Min", "And", "Or", "Xor", "FeatureVectorizer"});
}

/// Means and sums: above zero when all elements are.
bool Adds(std::string_view op) {
  return IsOneOf(op, {"ReduceMean", "ReduceSum", "GlobalAveragePool", "AveragePool", "Mean"});
}

/// Columns of a value: places along its last axis; 0 when that is not known.
std::int64_t Width(const Value& value) {
  const tensor::Shape& shape = value.type.shape;
  return !value.Typed() ? 0 : shape.empty() ? 1 : std::max<std::int64_t>(1, shape.back());
}

bool IsLastAxis(const Use& use, std::int64_t axis) {
  const auto shape = use.Shape(use.operand);
  const auto rank = static_cast<std::int64_t>(shape ? shape->size() : 0);
  return rank > 0 && (axis == -1 || axis == rank - 1);
}

/// Only the columns from `begin` on, `count` of them, of the value are left.
bool Narrow(Trace& trace, std::int64_t begin, std::int64_t count) {
  const auto low = std::max<std::int64_t>(begin, static_cast<std::int64_t>(trace.skip));
  const auto high =
      std::min<std::int64_t>(begin + count, static_cast<std::int64_t>(trace.skip + trace.count));
  if (low >= high) {
    return false;
  }
  trace.from += static_cast<std::size_t>(low) - trace.skip;
  trace.count = static_cast<std::size_t>(high - low);
  trace.skip = static_cast<std::size_t>(low - begin);
  return true;
}

/// From the end where it is below zero.
std::int64_t Place(double place, std::int64_t width) {
  return static_cast<std::int64_t>(place) + (place < 0 ? width : 0);
}

/// Whether the last axis of the result is no longer that of the operand.
bool Rearranges(const Use& use, std::int64_t before, std::int64_t after) {
  const std::string& op = use.node.op;
  if (op == "Transpose") {
    const std::vector<std::int64_t> order = use.node.Ints("perm");
    return order.empty() || order.back() + 1 != static_cast<std::int64_t>(order.size());
  }
  return before != after &&
         (Adds(op) || IsOneOf(op, {"Reshape", "Flatten", "Squeeze", "Unsqueeze", "GatherND",
                                   "DepthToSpace", "SpaceToDepth", "ReduceMax", "ReduceMin"}));
}

/// Follows the columns into one output of the node; false when it has none of them.
bool FollowColumns(const Use& use, std::size_t output, Trace& trace) {
  const auto& outputs = use.node.outputs;
  const auto width_of = [&](std::size_t i) {
    return Width(use.graph.values[static_cast<std::size_t>(outputs[i])]);
  };
  const std::string& op = use.node.op;
  const std::int64_t before = Width(*use.At(use.operand)), after = width_of(output);
  const bool last = IsLastAxis(use, use.node.Int("axis", 0));
  if (!trace.aligned || before == 0 || after == 0) {
    trace.aligned = false;
    return true;
  }
  if ((op == "Concat" && last) || op == "FeatureVectorizer") {
    for (std::size_t i = 0; i < use.operand; ++i) {
      trace.skip += static_cast<std::size_t>(use.Size(i, -1));
    }
    return true;
  }
  if (op == "Gather" && last) {
    const std::optional<double> picked = use.Scalar(1);
    trace.aligned = picked.has_value();
    return !picked || Narrow(trace, Place(*picked, before), 1);
  }
  if (op == "Split" && last) {
    std::int64_t begin = 0;
    for (std::size_t i = 0; i < output; ++i) {
      begin += outputs[i] == kNone ? 0 : width_of(i);
    }
    return Narrow(trace, begin, after);
  }
  if (op == "Slice" && after != before) {
    const std::optional<double> start = use.Scalar(1);
    trace.aligned = start && use.Scalar(4).value_or(1) == 1;
    return !trace.aligned || Narrow(trace, Place(*start, before), after);
  }
  trace.aligned = !Rearranges(use, before, after);
  return true;
}

void Scale(Trace& trace, double by) {
  trace.scale *= by;
  trace.offset = {std::min(trace.offset.low * by, trace.offset.high * by),
                  std::max(trace.offset.low * by, trace.offset.high * by)};
}

void Move(Trace& trace, double low, double high) {
  trace.offset = {trace.offset.low + low, trace.offset.high + high};
}

/// Arithmetic with a constant; false when it is with something else.
bool Compute(const Use& use, Trace& trace) {
  const std::string& op = use.node.op;
  if (op == "Neg") {
    Scale(trace, -1);
    return true;
  }
  if (op == "Not") {
    Scale(trace, -1);
    Move(trace, 1, 1);
    return true;
  }
  const std::size_t other = 1 - std::min<std::size_t>(use.operand, 1);
  const auto known = use.Known(other);
  if (!known || !IsOneOf(op, {"Add", "Sub", "Mul", "Div"})) {
    return false;
  }
  const auto [low, high] = std::minmax_element(known->begin(), known->end());
  if (!std::isfinite(*low) || !std::isfinite(*high)) {
    return false;
  }
  if (op == "Add") {
    Move(trace, *low, *high);
    return true;
  }
  if (op == "Sub") {
    if (use.operand == 1) {
      Scale(trace, -1);
      Move(trace, *low, *high);
    } else {
      Move(trace, -*high, -*low);
    }
    return true;
  }
  const bool integer = !tensor::IsFloat(use.At(use.operand)->type.dtype);
  const bool exact = *low == *high && *low != 0 && !(op == "Div" && (integer || use.operand == 1));
  if (exact) {
    Scale(trace, op == "Mul" ? *low : 1 / *low);
  }
  return exact;
}

/// A comparison of 0s and 1s gives them again, or the other way round.
bool Decide(const Use& use, Trace& trace) {
  if (!IsOneOf(use.node.op, {"Equal", "Less", "LessOrEqual", "Greater", "GreaterOrEqual"})) {
    return false;
  }
  const auto known = use.Scalar(1 - use.operand);
  if (!known || (*known != 0 && *known != 1 && *known != 0.5)) {
    return false;
  }
  const bool equal = use.node.op == "Equal";
  const bool above = (use.node.op.starts_with("Greater")) == (use.operand == 0);
  const bool kept = equal ? *known == 1 : above;
  if (!kept) {
    Scale(trace, -1);
    Move(trace, 1, 1);
  }
  return trace.whole = trace.decided = true;
}

/// What the operator makes of it, when that has the input's elements, too.
bool Follow(const Use& use, Trace& trace) {
  const std::string& op = use.node.op;
  const bool first = use.operand == 0;
  if (IsOneOf(op, {"Round", "Floor", "Ceil"})) {
    return trace.whole = true;
  }
  if (op == "Clip") {
    return first && trace.whole;  // a number that is held above zero may be any
  }
  if (op == "Where") {
    return use.operand > 0;
  }
  if (Adds(op)) {
    return first && tensor::IsFloat(use.At(0)->type.dtype) && !trace.whole;
  }
  return (first && Carries(op)) || Mixes(op) || Compute(use, trace) || Decide(use, trace);
}

class Search {
 public:
  std::vector<Step> From(const Graph& graph, ValueId input) {
    Trace start{.graph = &graph, .value = input};
    const Value& value = graph.values[static_cast<std::size_t>(input)];
    start.whole = !tensor::IsFloat(value.type.dtype);
    start.count = static_cast<std::size_t>(Width(value));
    open_.push_back(start);
    while (!open_.empty() && steps_.size() < kMostSteps) {
      const Trace trace = open_.front();
      open_.pop_front();
      Visit(trace);
    }
    return std::move(steps_);
  }

 private:
  void Visit(const Trace& trace) {
    for (const Node& node : trace.graph->nodes) {
      for (std::size_t operand = 0; operand < node.inputs.size(); ++operand) {
        if (node.inputs[operand] == trace.value) {
          steps_.push_back({trace, &node, operand});
          Advance(trace, {*trace.graph, node, operand});
          HandOver(trace, node, operand);
        }
      }
      Enclose(trace, node);
    }
  }

  void Advance(const Trace& trace, const Use& use) {
    const std::size_t outputs = use.node.op == "Split" ? use.node.outputs.size() : 1;
    for (std::size_t output = 0; output < std::min(outputs, use.node.outputs.size()); ++output) {
      if (use.node.outputs[output] == kNone) {
        continue;
      }
      Trace next = trace;
      next.value = use.node.outputs[output];
      if (Follow(use, next) && FollowColumns(use, output, next)) {
        const Value& value = use.graph.values[static_cast<std::size_t>(next.value)];
        next.whole = next.whole || (value.Typed() && !tensor::IsFloat(value.type.dtype));
        open_.push_back(next);
      }
    }
  }

  /// Bodies that read the value from the graph around them.
  void Enclose(const Trace& trace, const Node& node) {
    const std::string& name = trace.graph->values[static_cast<std::size_t>(trace.value)].name;
    for (const auto& [attribute, body] : node.bodies) {
      for (std::size_t id = 0; id < body->values.size(); ++id) {
        const Value& inner = body->values[id];
        const bool own = std::find(body->inputs.begin(), body->inputs.end(),
                                   static_cast<ValueId>(id)) != body->inputs.end();
        if (!own && inner.producer < 0 && !inner.weight && inner.name == name) {
          Open(trace, *body, static_cast<ValueId>(id));
        }
      }
    }
  }

  /// What a loop is given is an input of its body.
  void HandOver(const Trace& trace, const Node& node, std::size_t operand) {
    const auto body = node.bodies.find("body");
    const bool handed = node.op == "Scan" || (node.op == "Loop" && operand >= 2);
    if (handed && body != node.bodies.end() && operand < body->second->inputs.size()) {
      Open(trace, *body->second, body->second->inputs[operand]);
    }
  }

  void Open(Trace trace, const Graph& graph, ValueId value) {
    trace.graph = &graph;
    trace.value = value;
    open_.push_back(trace);
  }

  std::deque<Trace> open_;
  std::vector<Step> steps_;
};

}  // namespace

std::vector<Step> StepsOf(const Graph& graph, ValueId input) { return Search().From(graph, input); }

}  // namespace assay::model
