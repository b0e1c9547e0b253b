// Shapes: views, slices, joins, repetition.
#include <algorithm>

#include "aten/axes.h"
#include "aten/constants.h"
#include "aten/rules.h"

namespace assay::aten {
namespace {

Status View(Lowering& lowering, std::string op, std::string overload, Arguments arguments) {
  return lowering.Finish(std::move(op), std::move(overload), std::move(arguments),
                         Storage::kFirstArgument);
}

/// One axis of a Slice node.
struct Range {
  std::int64_t axis;
  std::int64_t start;
  std::int64_t end;
  std::int64_t step;
};

/// PyTorch's slices only step forward: back from the last element to the first is flip, any other
/// way back picks each element by its number.
ValueId EmitBackwards(Lowering& lowering, ValueId value, Range range, std::int64_t size) {
  range.start = std::max<std::int64_t>(FromFront(range.start, size), 0);
  range.start = std::min(range.start, size - 1);
  range.end = range.end < 0 ? std::max<std::int64_t>(range.end + size, -1) : range.end;
  if (range.start == size - 1 && range.end == -1 && range.step == -1) {
    return lowering.Emit("aten::flip", "", {ValueRef{value}, Integers64{range.axis}});
  }
  Integers64 picked;
  for (std::int64_t i = range.start; i > range.end && i >= 0; i += range.step) {
    picked.push_back(i);
  }
  const auto count = static_cast<std::int64_t>(picked.size());
  const Argument index = lowering.Constant(IntegerTensor(std::move(picked), {count}));
  return lowering.Emit("aten::index_select", "", {ValueRef{value}, range.axis, index});
}

Result<std::vector<Range>> ReadRanges(const Lowering& lowering, const model::Node& node) {
  const bool attributes = lowering.opset() < 10;
  const auto operand = [&](std::string_view name, std::size_t position) {
    return attributes && node.attributes.contains(std::string(name))
               ? std::optional(node.Ints(name))
               : lowering.Ints(lowering.Operand(position));
  };
  const auto starts = operand("starts", 1);
  const auto ends = operand("ends", 2);
  if (!starts || !ends || starts->size() != ends->size()) {
    return lowering.Unsupported("bounds that are no constants");
  }
  const std::size_t count = starts->size();
  const Integers64 axes =
      operand("axes", 3).value_or(AxesFrom(0, static_cast<std::int64_t>(count)));
  const Integers64 steps = operand("steps", 4).value_or(Integers64(count, 1));
  if (axes.size() != count || steps.size() != count) {
    return lowering.Unsupported("bounds, axes and steps of different numbers");
  }
  std::vector<Range> ranges;
  for (std::size_t i = 0; i < count; ++i) {
    ranges.push_back({axes[i], (*starts)[i], (*ends)[i], steps[i]});
  }
  return ranges;
}

/// [batch, a, b, c, d, e] from the input, its dimensions in another order, the result.
Status Rearrange(Lowering& lowering, const model::Node& node, Integers64 blocks, Integers64 order) {
  const ValueId split =
      lowering.Emit("aten::reshape", "", {lowering.Tensor(node.inputs[0]), std::move(blocks)},
                    Storage::kFirstArgument);
  const ValueId turned = lowering.Emit("aten::permute", "", {ValueRef{split}, std::move(order)},
                                       Storage::kFirstArgument);
  return View(lowering, "aten::reshape", "", {ValueRef{turned}, lowering.Shape(node.outputs[0])});
}

}  // namespace

Status LowerIdentity(Lowering& lowering, const model::Node& node) {
  lowering.Bind(node.outputs[0], lowering.TensorId(node.inputs[0]));
  return {};
}

Status LowerFlatten(Lowering& lowering, const model::Node& node) {
  const std::int64_t rank = lowering.Rank(node.inputs[0]);
  const Argument input = lowering.Tensor(node.inputs[0]);
  if (FromFront(node.Int("axis", 1), rank) == 1 && rank > 1) {
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
  return lowering.Finish("aten::cat", "", {parts, node.Int("axis", 1)});
}

Status LowerSplit(Lowering& lowering, const model::Node& node) {
  const std::int64_t axis = node.Int("axis", 0);
  Integers64 sizes;
  for (const model::ValueId id : node.outputs) {
    if (id == model::kNone) {
      return lowering.Unsupported("an output left out");
    }
    sizes.push_back(SizeAlong(lowering, id, axis));
  }
  const std::vector<ValueId> parts = lowering.EmitSeveral(
      "aten::split_with_sizes", "", {lowering.Tensor(node.inputs[0]), sizes, axis}, sizes.size(),
      Storage::kFirstArgument);
  for (std::size_t i = 0; i < parts.size(); ++i) {
    lowering.Bind(node.outputs[i], parts[i]);
  }
  return {};
}

Status LowerSqueeze(Lowering& lowering, const model::Node& node) {
  const auto axes = AxesOf(lowering, node, 1, lowering.Rank(node.inputs[0]));
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
  const auto axes = AxesOf(lowering, node, 1, lowering.Rank(node.outputs[0]));
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
  ASSAY_ASSIGN(const std::vector<Range> ranges, ReadRanges(lowering, node));
  ValueId made = lowering.TensorId(node.inputs[0]);
  for (const Range& range : ranges) {
    if (range.step < 0) {
      if (SizeAlong(lowering, node.inputs[0], range.axis) > kMostNumbers) {
        return lowering.Unsupported("a step back over that many elements");
      }
      made = EmitBackwards(lowering, made, range, SizeAlong(lowering, node.inputs[0], range.axis));
      continue;
    }
    Arguments arguments = {ValueRef{made}, range.axis, range.start, range.end, range.step};
    made = lowering.Emit("aten::slice", "Tensor",
                         WithoutDefaults(std::move(arguments), {std::int64_t{1}}),
                         Storage::kFirstArgument);
  }
  lowering.Bind(node.outputs[0], made);
  return {};
}

Status LowerTile(Lowering& lowering, const model::Node& node) {
  const auto repeats = lowering.Ints(lowering.Operand(1));
  if (!repeats) {
    return lowering.Unsupported("repeats that are no constants");
  }
  return lowering.Finish("aten::repeat", "", {lowering.Tensor(node.inputs[0]), *repeats});
}

/// A constant that was too large to be folded.
Status LowerConstantOfShape(Lowering& lowering, const model::Node& node) {
  const tensor::Type& type = lowering.Value(node.outputs[0]).type;
  tensor::Tensor element{"", {type.dtype, {}}, {}};
  element.data.resize(tensor::SizeOf(type.dtype));
  if (const auto given = node.attributes.find("value"); given != node.attributes.end()) {
    element.data = std::get<tensor::Tensor>(given->second).data;
  }
  if (element.data.size() != tensor::SizeOf(type.dtype)) {
    return lowering.Unsupported("a value of other than one element");
  }
  return View(lowering, "aten::expand", "", {lowering.Constant(std::move(element)), type.shape});
}

Status LowerEyeLike(Lowering& lowering, const model::Node& node) {
  constexpr std::int64_t kMostElements = 65536;  // of a constant held in the program
  const tensor::Type& type = lowering.Value(node.outputs[0]).type;
  const std::int64_t rows = type.shape[0];
  const std::int64_t columns = type.shape[1];
  if (rows * columns > kMostElements) {
    return lowering.Unsupported("a constant of that size");
  }
  Integers64 elements(static_cast<std::size_t>(rows * columns), 0);
  for (std::int64_t row = 0; row < rows; ++row) {
    const std::int64_t column = row + node.Int("k", 0);
    if (column >= 0 && column < columns) {
      elements[static_cast<std::size_t>(row * columns + column)] = 1;
    }
  }
  const Argument eye = lowering.Constant(IntegerTensor(std::move(elements), type.shape));
  return View(lowering, "aten::to", "dtype", {eye, DTypeArg{type.dtype}});
}

Status LowerTrilu(Lowering& lowering, const model::Node& node) {
  const model::ValueId operand = lowering.Operand(1);
  const auto diagonal = lowering.Ints(operand);
  if (operand != model::kNone && (!diagonal || diagonal->size() != 1)) {
    return lowering.Unsupported("a diagonal that is no constant");
  }
  return lowering.Finish(node.Int("upper", 1) != 0 ? "aten::triu" : "aten::tril", "",
                         WithoutDefaults({lowering.Tensor(node.inputs[0]),
                                          diagonal ? diagonal->front() : std::int64_t{0}},
                                         {std::int64_t{0}}));
}

Status LowerDepthToSpace(Lowering& lowering, const model::Node& node) {
  const std::int64_t block = node.Int("blocksize", 1);
  if (node.String("mode", "DCR") == "CRD") {
    return lowering.Finish("aten::pixel_shuffle", "", {lowering.Tensor(node.inputs[0]), block});
  }
  const tensor::Shape& out = lowering.Shape(node.outputs[0]);
  const tensor::Shape& in = lowering.Shape(node.inputs[0]);
  return Rearrange(lowering, node, {in[0], block, block, out[1], in[2], in[3]}, {0, 3, 4, 1, 5, 2});
}

Status LowerSpaceToDepth(Lowering& lowering, const model::Node& node) {
  const std::int64_t block = node.Int("blocksize", 1);
  if (node.String("mode", "DCR") == "CRD") {
    return lowering.Finish("aten::pixel_unshuffle", "", {lowering.Tensor(node.inputs[0]), block});
  }
  const tensor::Shape& out = lowering.Shape(node.outputs[0]);
  const tensor::Shape& in = lowering.Shape(node.inputs[0]);
  return Rearrange(lowering, node, {in[0], in[1], out[2], block, out[3], block},
                   {0, 3, 5, 1, 2, 4});
}

}  // namespace assay::aten
