// Forms that operators had in older opsets and no rule reads. Source  the change log of ONNX's
// operators; what else changed (attributes that became operands, defaults) the rules know.
#include <algorithm>
#include <string_view>
#include <vector>

#include "aten/rules.h"

namespace assay::aten {
namespace {

using Operators = std::vector<std::string_view>;

struct OldForm {
  Operators ops;
  std::int64_t before;  // the opset that ended it
  bool (*has)(const model::Graph&, const model::Node&);
  std::string_view why;
};

bool Always(const model::Graph&, const model::Node&) { return true; }

bool Lacks(const model::Node& node, std::string_view attribute) {
  return !node.attributes.contains(std::string(attribute));
}

std::int64_t RankOf(const model::Graph& graph, model::ValueId id) {
  return static_cast<std::int64_t>(graph.At(id).type.shape.size());
}

/// Whether the second operand's dimensions are not the first one's last.
bool LiesElsewhere(const model::Graph& graph, const model::Node& node) {
  const std::int64_t axis = node.Int("axis", -1), rank = RankOf(graph, node.inputs[0]),
                     second = RankOf(graph, node.inputs[1]);
  return !Lacks(node, "axis") && (axis < 0 ? axis + rank : axis) != rank - second;
}

bool Trains(const model::Graph&, const model::Node& node) { return node.Int("is_test", 0) == 0; }

bool IsOfEachElement(const model::Graph&, const model::Node& node) {
  return node.Int("spatial", 1) == 0;
}

bool LacksAxis(const model::Graph&, const model::Node& node) { return Lacks(node, "axis"); }

const std::vector<OldForm>& OldForms() {
  static const std::vector<OldForm> kForms = {
      {{"Add", "And", "Div", "Equal", "Greater", "Less", "Mul", "Or", "Pow", "Sub", "Xor"},
       7,
       LiesElsewhere,
       "before opset 7 its second operand may lie along other axes than the last"},
      {{"BatchNormalization", "Dropout"}, 7, Trains, "training mode"},
      {{"BatchNormalization"}, 9, IsOfEachElement, "statistics of each element"},
      {{"Cast"}, 6, Always, "before opset 6 its type is a name"},
      {{"GlobalLpPool", "LpPool"}, 2, Always, "before opset 2 its power may be a fraction"},
      {{"Pad"}, 2, Always, "before opset 2 its padding has another name"},
      {{"Reshape"}, 5, Always, "before opset 5 its shape is an attribute"},
      {{"Split"}, 2, LacksAxis, "before opset 2 its axis need not be given"},
      {{"Tile"}, 6, Always, "before opset 6 it repeats along one axis"},
  };
  return kForms;
}

}  // namespace

std::string_view OldFormOf(const model::Graph& graph, const model::Node& node) {
  for (const OldForm& form : OldForms()) {
    if (node.domain.empty() && graph.opset < form.before &&
        std::ranges::find(form.ops, node.op) != form.ops.end() && form.has(graph, node)) {
      return form.why;
    }
  }
  return "";
}

}  // namespace assay::aten
