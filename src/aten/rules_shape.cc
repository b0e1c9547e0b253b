// Shapes: views, slices, joins.
#include <algorithm>
#include <limits>

#include "aten/constants.h"
#include "aten/rules.h"

namespace assay::aten {
namespace {

std::int64_t Positive(std::int64_t axis, std::int64_t rank) {
  return axis < 0 ? axis + rank : axis;
}

/// The node's axes from its attribute (before opset 13) or its operand at `position`; sorted.
std::optional<Integers64> Axes(const Lowering& lowering, const model::Node& node,
                               std::size_t position, std::int64_t rank) {
  std::optional<Integers64> axes = node.attributes.contains("axes")
                                       ? node.Ints("axes")
                                       : lowering.Ints(lowering.Operand(position));
  if (axes) {
    std::ranges::transform(*axes, axes->begin(),
                           [&](std::int64_t axis) { return Positive(axis, rank); });
    std::ranges::sort(*axes);
  }
  return axes;
}

Status View(Lowering& lowering, std::string op, std::string overload, Arguments arguments) {
  return lowering.Finish(std::move(op), std::move(overload), std::move(arguments),
                         Storage::kFirstArgument);
}

}  // namespace

Status LowerIdentity(Lowering& lowering, const model::Node& node) {
  lowering.Bind(node.outputs[0], lowering.TensorId(node.inputs[0]));
  return {};
}

Status LowerFlatten(Lowering& lowering, const model::Node& node) {
  const std::int64_t rank = lowering.Rank(node.inputs[0]);
  const Argument input = lowering.Tensor(node.inputs[0]);
  if (Positive(node.Int("axis", 1), rank) == 1 && rank > 1) {
    return View(lowering, "aten::flatten", "using_ints", {input, std::int64_t{1}});
  }
  return View(lowering, "aten::reshape", "", {input, lowering.Shape(node.outputs[0])});
}

Status LowerReshape(Lowering& lowering, const model::Node& node) {
  return View(lowering, "aten::reshape", "",
              {lowering.Tensor(node.inputs[0]), lowering.Shape(node.outputs[0])});
}

Status LowerTranspose(Lowering& lowering, const model::Node& node) {
  Integers64 reversed;
  for (std::int64_t axis = lowering.Rank(node.inputs[0]) - 1; axis >= 0; --axis) {
    reversed.push_back(axis);
  }
  return View(lowering, "aten::permute", "",
              {lowering.Tensor(node.inputs[0]), node.Ints("perm", reversed)});
}

Status LowerExpand(Lowering& lowering, const model::Node& node) {
  return View(lowering, "aten::expand", "",
              {lowering.Tensor(node.inputs[0]), lowering.Shape(node.outputs[0])});
}

Status LowerConcat(Lowering& lowering, const model::Node& node) {
  ValueRefs parts;
  for (const model::ValueId id : node.inputs) {
    parts.ids.push_back(lowering.TensorId(id));
  }
  return lowering.Finish("aten::cat", "", {parts, node.Int("axis", 0)});
}

Status LowerSplit(Lowering& lowering, const model::Node& node) {
  const std::int64_t axis = node.Int("axis", 0);
  const auto dimension = static_cast<std::size_t>(Positive(axis, lowering.Rank(node.inputs[0])));
  Integers64 sizes;
  for (const model::ValueId id : node.outputs) {
    if (id == model::kNone) {
      return lowering.Unsupported("an output left out");
    }
    sizes.push_back(lowering.Shape(id)[dimension]);
  }
  const std::vector<ValueId> parts = lowering.EmitViews(
      "aten::split_with_sizes", "", {lowering.Tensor(node.inputs[0]), sizes, axis}, sizes.size());
  for (std::size_t i = 0; i < parts.size(); ++i) {
    lowering.Bind(node.outputs[i], parts[i]);
  }
  return {};
}

Status LowerSqueeze(Lowering& lowering, const model::Node& node) {
  const auto axes = Axes(lowering, node, 1, lowering.Rank(node.inputs[0]));
  const Argument input = lowering.Tensor(node.inputs[0]);
  if (!axes) {
    return View(lowering, "aten::squeeze", "", {input});
  }
  if (axes->size() == 1) {
    return View(lowering, "aten::squeeze", "dim", {input, axes->front()});
  }
  return View(lowering, "aten::squeeze", "dims", {input, *axes});
}

Status LowerUnsqueeze(Lowering& lowering, const model::Node& node) {
  const auto axes = Axes(lowering, node, 1, lowering.Rank(node.outputs[0]));
  if (!axes) {
    return lowering.Unsupported("axes that are no constants");
  }
  ValueId made = lowering.TensorId(node.inputs[0]);
  for (const std::int64_t axis : *axes) {
    made = lowering.Emit("aten::unsqueeze", "", {ValueRef{made}, axis}, Storage::kFirstArgument);
  }
  lowering.Bind(node.outputs[0], made);
  return {};
}

Status LowerSlice(Lowering& lowering, const model::Node& node) {
  const auto starts = lowering.Ints(lowering.Operand(1));
  const auto ends = lowering.Ints(lowering.Operand(2));
  if (!starts || !ends) {
    return lowering.Unsupported("bounds that are no constants");
  }
  Integers64 all(starts->size());
  for (std::size_t i = 0; i < all.size(); ++i) {
    all[i] = static_cast<std::int64_t>(i);
  }
  const Integers64 axes = lowering.Ints(lowering.Operand(3)).value_or(all);
  const Integers64 steps =
      lowering.Ints(lowering.Operand(4)).value_or(Integers64(starts->size(), 1));
  ValueId made = lowering.TensorId(node.inputs[0]);
  for (std::size_t i = 0; i < starts->size(); ++i) {
    if (steps[i] < 1) {
      return lowering.Unsupported("PyTorch's slices only step forward");
    }
    Arguments arguments = {ValueRef{made}, axes[i], (*starts)[i], (*ends)[i], steps[i]};
    made = lowering.Emit("aten::slice", "Tensor",
                         WithoutDefaults(std::move(arguments), {std::int64_t{1}}),
                         Storage::kFirstArgument);
  }
  lowering.Bind(node.outputs[0], made);
  return {};
}

Status LowerGather(Lowering& lowering, const model::Node& node) {
  const std::int64_t axis = node.Int("axis", 0);
  const model::ValueId data = node.inputs[0];
  const model::ValueId indices = node.inputs[1];
  const Argument input = lowering.Tensor(data);
  auto constant = lowering.Ints(indices);
  if (constant && lowering.Rank(indices) == 0) {
    return View(lowering, "aten::select", "int", {input, axis, constant->front()});
  }
  if (!constant && Positive(axis, lowering.Rank(data)) == 0 && lowering.Rank(data) == 2) {
    return lowering.Finish("aten::embedding", "", {input, lowering.Tensor(indices)});
  }
  Argument index = Default{};
  if (constant) {  // PyTorch counts from the front only
    const std::int64_t size =
        lowering.Shape(data)[static_cast<std::size_t>(Positive(axis, lowering.Rank(data)))];
    std::ranges::transform(*constant, constant->begin(),
                           [&](std::int64_t i) { return Positive(i, size); });
    const auto count = static_cast<std::int64_t>(constant->size());
    index = lowering.Constant(IntegerTensor(std::move(*constant), {count}));
  } else {
    index = ValueRef{lowering.Emit("aten::reshape", "", {lowering.Tensor(indices), Integers64{-1}},
                                   Storage::kFirstArgument)};
  }
  Arguments arguments = {input, axis, index};
  if (lowering.Rank(indices) == 1) {
    return lowering.Finish("aten::index_select", "", std::move(arguments));
  }
  const ValueId picked = lowering.Emit("aten::index_select", "", std::move(arguments));
  return View(lowering, "aten::reshape", "", {ValueRef{picked}, lowering.Shape(node.outputs[0])});
}

}  // namespace assay::aten
