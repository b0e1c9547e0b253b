// Elements picked and put by number.
#include <algorithm>
#include <string>

#include "aten/axes.h"
#include "aten/constants.h"
#include "aten/rules.h"

namespace assay::aten {
namespace {

/// Element numbers along `axis` of `data` as gather and scatter take them: int64, and from the
/// front where they are known.
Argument Index(Lowering& lowering, model::ValueId indices, model::ValueId data, std::int64_t axis) {
  if (auto constant = lowering.Ints(indices)) {
    const std::int64_t size = SizeAlong(lowering, data, axis);
    std::ranges::transform(*constant, constant->begin(),
                           [&](std::int64_t i) { return FromFront(i, size); });
    return lowering.Constant(IntegerTensor(std::move(*constant), lowering.Shape(indices)));
  }
  const Argument index = lowering.Tensor(indices);
  if (lowering.Value(indices).type.dtype == tensor::DType::kInt64) {
    return index;
  }
  return ValueRef{lowering.Emit("aten::to", "dtype", {index, DTypeArg{tensor::DType::kInt64}})};
}

/// The numbers of each element along the first `batches` dimensions: 0, 1, 2, ... along its own,
/// one long along the others that `indices` has.
void AddBatchNumbers(Lowering& lowering, model::ValueId data, model::ValueId indices,
                     std::int64_t batches, ValueRefs& numbers) {
  for (std::int64_t axis = 0; axis < batches; ++axis) {
    const std::int64_t size = SizeAlong(lowering, data, axis);
    tensor::Shape shape(static_cast<std::size_t>(lowering.Rank(indices) - 1), 1);
    shape[static_cast<std::size_t>(axis)] = size;
    const Argument made = lowering.Constant(IntegerTensor(AxesFrom(0, size), std::move(shape)));
    numbers.ids.push_back(std::get<ValueRef>(made).id);
  }
}

/// The tuples along the last dimension of GatherND's and ScatterND's indices, as one tensor for
/// each dimension of `data` that they count.
ValueRefs TupleParts(Lowering& lowering, model::ValueId data, model::ValueId indices,
                     std::int64_t batches) {
  ValueRefs numbers;
  AddBatchNumbers(lowering, data, indices, batches, numbers);
  Argument tuples = lowering.Tensor(indices);
  if (lowering.Value(indices).type.dtype != tensor::DType::kInt64) {
    tuples =
        ValueRef{lowering.Emit("aten::to", "dtype", {tuples, DTypeArg{tensor::DType::kInt64}})};
  }
  const auto length = static_cast<std::size_t>(SizeAlong(lowering, indices, -1));
  for (const ValueId part : lowering.EmitSeveral("aten::unbind", "int", {tuples, std::int64_t{-1}},
                                                 length, Storage::kFirstArgument)) {
    numbers.ids.push_back(part);
  }
  return numbers;
}

}  // namespace

Status LowerGather(Lowering& lowering, const model::Node& node) {
  const std::int64_t axis = node.Int("axis", 0);
  const model::ValueId data = node.inputs[0];
  const model::ValueId indices = node.inputs[1];
  const Argument input = lowering.Tensor(data);
  const auto constant = lowering.Ints(indices);
  if (constant && lowering.Rank(indices) == 0) {
    return lowering.Finish("aten::select", "int", {input, axis, constant->front()},
                           Storage::kFirstArgument);
  }
  const bool table = FromFront(axis, lowering.Rank(data)) == 0 && lowering.Rank(data) == 2;
  if (!constant && table) {
    return lowering.Finish("aten::embedding", "", {input, lowering.Tensor(indices)});
  }
  Argument index = Default{};
  if (constant) {  // PyTorch counts from the front only
    Integers64 numbers = *constant;
    const std::int64_t size = SizeAlong(lowering, data, axis);
    std::ranges::transform(numbers, numbers.begin(),
                           [&](std::int64_t i) { return FromFront(i, size); });
    if (table && lowering.Value(data).weight) {  // positions
      index = lowering.Constant(IntegerTensor(std::move(numbers), lowering.Shape(indices)));
      return lowering.Finish("aten::embedding", "", {input, index});
    }
    const auto count = static_cast<std::int64_t>(numbers.size());
    index = lowering.Constant(IntegerTensor(std::move(numbers), {count}));
  } else {
    index = ValueRef{lowering.Emit("aten::reshape", "", {lowering.Tensor(indices), Integers64{-1}},
                                   Storage::kFirstArgument)};
  }
  Arguments arguments = {input, axis, index};
  if (lowering.Rank(indices) == 1) {
    return lowering.Finish("aten::index_select", "", std::move(arguments));
  }
  const ValueId picked = lowering.Emit("aten::index_select", "", std::move(arguments));
  return lowering.Finish("aten::reshape", "", {ValueRef{picked}, lowering.Shape(node.outputs[0])},
                         Storage::kFirstArgument);
}

Status LowerGatherElements(Lowering& lowering, const model::Node& node) {
  const std::int64_t axis = node.Int("axis", 0);
  return lowering.Finish("aten::gather", "",
                         {lowering.Tensor(node.inputs[0]), axis,
                          Index(lowering, node.inputs[1], node.inputs[0], axis)});
}

Status LowerGatherNd(Lowering& lowering, const model::Node& node) {
  const std::int64_t batches = node.Int("batch_dims", 0);
  if (batches < 0 || batches >= lowering.Rank(node.inputs[1]) ||
      batches + SizeAlong(lowering, node.inputs[1], -1) > lowering.Rank(node.inputs[0])) {
    return lowering.Unsupported("indices of more dimensions than the input's");
  }
  for (std::int64_t axis = 0; axis < batches; ++axis) {
    if (SizeAlong(lowering, node.inputs[0], axis) > kMostNumbers) {
      return lowering.Unsupported("a batch of that size");
    }
  }
  ValueRefs parts = TupleParts(lowering, node.inputs[0], node.inputs[1], batches);
  return lowering.Finish("aten::index", "Tensor",
                         {lowering.Tensor(node.inputs[0]), std::move(parts)});
}

Status LowerScatterElements(Lowering& lowering, const model::Node& node) {
  const std::int64_t axis = node.Int("axis", 0);
  const std::string reduction = node.String("reduction", "none");
  Arguments arguments = {lowering.Tensor(node.inputs[0]), axis,
                         Index(lowering, node.inputs[1], node.inputs[0], axis),
                         lowering.Tensor(node.inputs[2])};
  if (reduction == "none") {
    return lowering.Finish("aten::scatter", "src", std::move(arguments));
  }
  if (reduction == "add") {
    return lowering.Finish("aten::scatter_add", "", std::move(arguments));
  }
  arguments.push_back(reduction == "mul" ? std::string("prod") : "a" + reduction);
  return lowering.Finish("aten::scatter_reduce", "two", std::move(arguments));
}

Status LowerScatterNd(Lowering& lowering, const model::Node& node) {
  const std::string reduction = node.String("reduction", "none");
  if (reduction != "none" && reduction != "add") {
    return lowering.Unsupported("PyTorch's index_put replaces or adds, it does not " + reduction);
  }
  if (SizeAlong(lowering, node.inputs[1], -1) > lowering.Rank(node.inputs[0])) {
    return lowering.Unsupported("indices of more dimensions than the input's");
  }
  ValueRefs parts = TupleParts(lowering, node.inputs[0], node.inputs[1], 0);
  return lowering.Finish("aten::index_put", "",
                         WithoutDefaults({lowering.Tensor(node.inputs[0]), std::move(parts),
                                          lowering.Tensor(node.inputs[2]), reduction == "add"},
                                         {false}));
}

/// Equality with each number along the new axis; a number below zero counts from the end, and one
/// out of range equals none.
Status LowerOneHot(Lowering& lowering, const model::Node& node) {
  const std::int64_t rank = lowering.Rank(node.outputs[0]);
  const std::int64_t axis = FromFront(node.Int("axis", -1), rank);
  const std::int64_t depth = SizeAlong(lowering, node.outputs[0], axis);
  if (axis < 0 || axis >= rank || depth > kMostNumbers) {
    return lowering.Unsupported("an axis or depth of that size");
  }
  tensor::Shape shape(static_cast<std::size_t>(rank), 1);
  shape[static_cast<std::size_t>(axis)] = depth;
  const ValueId index = lowering.Emit(
      "aten::unsqueeze", "", {lowering.Tensor(node.inputs[0]), axis}, Storage::kFirstArgument);
  Integers64 from_front = AxesFrom(0, depth);
  Integers64 from_end = from_front;
  std::ranges::for_each(from_end, [&](std::int64_t& number) { number -= depth; });
  const auto equals = [&](Integers64 numbers) {
    const Argument constant = lowering.Constant(IntegerTensor(std::move(numbers), shape));
    return ValueRef{lowering.Emit("aten::eq", "Tensor", {ValueRef{index}, constant})};
  };
  const Argument front = equals(std::move(from_front));
  const Argument end = equals(std::move(from_end));
  const ValueId hot = lowering.Emit("aten::logical_or", "", {front, end});
  const std::vector<ValueId> values =
      lowering.EmitSeveral("aten::unbind", "int", {lowering.Tensor(node.inputs[2])}, 2,
                           Storage::kFirstArgument);  // off, on
  return lowering.Finish("aten::where", "self",
                         {ValueRef{hot}, ValueRef{values[1]}, ValueRef{values[0]}});
}

}  // namespace assay::aten
