#include "predict/fusion.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/text.h"

namespace assay::predict {
namespace {

using model::Graph;
using model::Node;
using model::ValueId;

constexpr std::size_t kNoGroup = static_cast<std::size_t>(-1);

std::size_t At(ValueId id) { return static_cast<std::size_t>(id); }

class Fuser {
 public:
  Fuser(const Graph& graph, const std::vector<Cost>& costs)
      : graph_(graph),
        costs_(costs),
        group_of_(graph.nodes.size(), kNoGroup),
        consumers_(graph.values.size()),
        constant_(ConstantValues(graph)),
        is_output_(graph.values.size(), false) {
    for (std::size_t n = 0; n < graph.nodes.size(); ++n) {
      for (const ValueId input : graph.nodes[n].inputs) {
        if (input != model::kNone) {
          consumers_[At(input)].push_back(n);
        }
      }
    }
    for (const ValueId output : graph.outputs) {
      is_output_[At(output)] = true;
    }
  }

  std::vector<Group> Run(EngineKind kind) {
    for (std::size_t n = 0; n < graph_.nodes.size(); ++n) {
      const std::size_t group = kind == EngineKind::kEager ? kNoGroup : GroupToJoin(n);
      if (group == kNoGroup) {
        group_of_[n] = groups_.size();
        groups_.push_back({.nodes = {n}, .main = n, .cost = {}});
      } else {
        group_of_[n] = group;
        groups_[group].nodes.push_back(n);
      }
    }
    return std::move(groups_);
  }

  std::size_t GroupOf(std::size_t node) const { return group_of_[node]; }
  const std::vector<std::size_t>& ConsumersOf(ValueId value) const { return consumers_[At(value)]; }
  bool IsOutput(ValueId value) const { return is_output_[At(value)]; }
  bool IsConstant(ValueId value) const { return constant_[At(value)]; }

 private:
  /// One element in, one out, whatever the neighbours: what a kernel can do to its result before it
  /// is written.
  bool IsPointwise(std::size_t n) const {
    static const std::set<std::string_view> kNotPointwise = {"ArgMax",
                                                             "ArgMin",
                                                             "AveragePool",
                                                             "CumProd",
                                                             "CumSum",
                                                             "GlobalAveragePool",
                                                             "GlobalLpPool",
                                                             "GlobalMaxPool",
                                                             "GridSample",
                                                             "GroupNormalization",
                                                             "Hardmax",
                                                             "InstanceNormalization",
                                                             "LRN",
                                                             "LayerNormalization",
                                                             "LogSoftmax",
                                                             "LpNormalization",
                                                             "LpPool",
                                                             "MaxPool",
                                                             "MeanVarianceNormalization",
                                                             "NonMaxSuppression",
                                                             "NonZero",
                                                             "RMSNormalization",
                                                             "Resize",
                                                             "Softmax",
                                                             "TopK",
                                                             "Upsample"};
    const Node& node = graph_.nodes[n];
    return (costs_[n].kind == Kind::kVector || node.op == "Cast") && node.outputs.size() == 1 &&
           !node.op.starts_with("Reduce") && !kNotPointwise.contains(node.op);
  }

  /// The group of the input that was made last, if node `n` can be computed where that is written.
  std::size_t GroupToJoin(std::size_t n) const {
    const Node& node = graph_.nodes[n];
    std::size_t latest = kNoGroup;
    ValueId through = model::kNone;
    for (const ValueId input : node.inputs) {
      const std::int32_t producer = input == model::kNone ? -1 : graph_.values[At(input)].producer;
      if (producer >= 0 && (latest == kNoGroup || static_cast<std::size_t>(producer) > latest)) {
        latest = static_cast<std::size_t>(producer);
        through = input;
      }
    }
    if (latest == kNoGroup || costs_[latest].kind == Kind::kView || is_output_[At(through)]) {
      return kNoGroup;
    }
    const std::size_t group = group_of_[latest];
    const bool joins = IsPointwise(n) ? Fits(n, through, group) : IsAttentionStep(n, group);
    return joins && ConsumedWithin(n, through, group) ? group : kNoGroup;
  }

  /// Same elements as what the group writes: no broadcast of it.
  bool Fits(std::size_t n, ValueId through, std::size_t group) const {
    const Cost& main = costs_[groups_[group].main];
    const bool computes = main.kind == Kind::kMatrix || main.kind == Kind::kGrouped ||
                          IsPointwise(groups_[group].main);
    return computes && graph_.values[At(graph_.nodes[n].outputs[0])].type.shape ==
                           graph_.values[At(through)].type.shape;
  }

  /// Softmax of a product of activations, and the product that follows: one attention kernel.
  bool IsAttentionStep(std::size_t n, std::size_t group) const {
    const Node& node = graph_.nodes[n];
    const Node& main = graph_.nodes[groups_[group].main];
    if (main.op != "MatMul" || costs_[groups_[group].main].weight_bytes > 0) {
      return false;
    }
    const std::string& last = graph_.nodes[groups_[group].nodes.back()].op;
    return node.op == "Softmax" ||
           (node.op == "MatMul" && last == "Softmax" && costs_[n].weight_bytes == 0);
  }

  /// Nobody outside the group needs `through` before it is written: its readers are in the group,
  /// `n`, or the only reader of `n` (x * sigmoid(x)).
  bool ConsumedWithin(std::size_t n, ValueId through, std::size_t group) const {
    const auto& after = consumers_[At(graph_.nodes[n].outputs[0])];
    return std::ranges::all_of(consumers_[At(through)], [&](std::size_t reader) {
      return reader == n || group_of_[reader] == group ||
             (after.size() == 1 && after[0] == reader && IsPointwise(reader));
    });
  }

  const Graph& graph_;
  const std::vector<Cost>& costs_;
  std::vector<std::size_t> group_of_;
  std::vector<std::vector<std::size_t>> consumers_;
  std::vector<bool> constant_;
  std::vector<bool> is_output_;
  std::vector<Group> groups_;
};

/// Takes out of the group's bytes what its own nodes made and nobody else reads.
void SumCosts(const Graph& graph, const std::vector<Cost>& costs, const Fuser& fuser,
              Precision precision, Group& group) {
  const std::size_t self = fuser.GroupOf(group.main);
  std::set<ValueId> read;
  group.cost.kind = costs[group.main].kind;
  for (const std::size_t n : group.nodes) {
    Cost cost = costs[n];
    if (group.nodes.size() > 1 && cost.kind != Kind::kView) {
      cost.read_bytes = cost.written_bytes = 0;
      for (const ValueId input : graph.nodes[n].inputs) {
        if (input == model::kNone || fuser.IsConstant(input)) {
          continue;
        }
        const std::int32_t producer = graph.values[At(input)].producer;
        const bool own = producer >= 0 && fuser.GroupOf(static_cast<std::size_t>(producer)) == self;
        if (!own && read.insert(input).second) {
          cost.read_bytes += BytesOf(graph.values[At(input)], precision);
        }
      }
      for (const ValueId output : graph.nodes[n].outputs) {
        const bool leaves =
            output != model::kNone &&
            (fuser.IsOutput(output) ||
             std::ranges::any_of(fuser.ConsumersOf(output), [&](std::size_t reader) {
               return fuser.GroupOf(reader) != self;
             }));
        cost.written_bytes += leaves ? BytesOf(graph.values[At(output)], precision) : 0;
      }
    }
    group.cost += cost;
  }
}

}  // namespace

std::string_view Name(EngineKind kind) { return kind == EngineKind::kEager ? "eager" : "compiled"; }

Result<EngineKind> ParseEngineKind(std::string_view name) {
  for (const EngineKind kind : {EngineKind::kEager, EngineKind::kCompiled}) {
    if (Name(kind) == name) {
      return kind;
    }
  }
  return Error{
      Code::kInvalidArgument,
      fmt::format("no kind of engine '{}'{}", name, DidYouMean(name, {"eager", "compiled"})),
      "--engine is eager or compiled"};
}

std::vector<Group> Fuse(const Graph& graph, const std::vector<Cost>& costs, EngineKind kind,
                        Precision precision) {
  Fuser fuser(graph, costs);
  std::vector<Group> groups = fuser.Run(kind);
  for (Group& group : groups) {
    SumCosts(graph, costs, fuser, precision, group);
  }
  std::ranges::stable_sort(groups, {}, [](const Group& group) { return group.nodes.back(); });
  return groups;
}

}  // namespace assay::predict
