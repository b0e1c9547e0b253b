#include "model/fold.h"

#include <algorithm>

#include "model/fold_operations.h"

namespace assay::model {
namespace {

constexpr std::uint64_t kMostElements = 65536;

/// Shape and Size need the input's type only.
std::optional<Numbers> FoldTypeQuestion(const Node& node, const tensor::Shape& shape) {
  const auto rank = static_cast<std::int64_t>(shape.size());
  const auto clamp = [&](std::int64_t index) {
    return std::clamp<std::int64_t>(index < 0 ? index + rank : index, 0, rank);
  };
  if (node.op == "Size") {
    return Numbers{static_cast<Number>(*tensor::ElementCount(shape))};
  }
  const std::int64_t begin = clamp(node.Int("start", 0));
  const std::int64_t end = std::max(begin, clamp(node.Int("end", rank)));
  return Numbers(shape.begin() + begin, shape.begin() + end);
}

std::optional<Numbers> FoldConstant(const Node& node) {
  if (node.attributes.size() != 1) {
    return std::nullopt;
  }
  const Attribute& value = node.attributes.begin()->second;
  if (const auto* number = std::get_if<std::int64_t>(&value)) {
    return Numbers{static_cast<Number>(*number)};
  }
  if (const auto* number = std::get_if<double>(&value)) {
    return Numbers{*number};
  }
  if (const auto* numbers = std::get_if<std::vector<std::int64_t>>(&value)) {
    return Numbers(numbers->begin(), numbers->end());
  }
  if (const auto* numbers = std::get_if<std::vector<double>>(&value)) {
    return Numbers(numbers->begin(), numbers->end());
  }
  return std::nullopt;
}

std::optional<Numbers> FoldKnown(const Node& node, const std::vector<const Value*>& inputs,
                                 const tensor::Type& output, std::size_t count) {
  const FoldOperation* operation = FindFoldOperation(node.op);
  if (operation == nullptr || inputs.empty()) {
    return std::nullopt;
  }
  FoldCall call{node, {}, output, count};
  for (const Value* input : inputs) {
    if (input == nullptr) {
      call.in.emplace_back();
      continue;
    }
    auto numbers = input->constant && input->constant->data.size() <= 8 * kMostElements
                       ? Decode(*input->constant)
                       : std::nullopt;
    // Empty operands have no element to broadcast; only Concat can make something beside them.
    if (!numbers || (numbers->empty() && count > 0 && node.op != "Concat")) {
      return std::nullopt;
    }
    call.in.push_back({*std::move(numbers), input->type.shape});
  }
  return (*operation)(call);
}

}  // namespace

std::optional<tensor::Tensor> Fold(const Node& node, const std::vector<const Value*>& inputs,
                                   const tensor::Type& output) {
  const auto count = tensor::ElementCount(output.shape);
  if (node.outputs.size() != 1 || !count) {
    return std::nullopt;
  }
  if (const auto value = node.attributes.find("value"); node.op == "Constant") {
    if (value != node.attributes.end() && std::holds_alternative<tensor::Tensor>(value->second)) {
      return std::get<tensor::Tensor>(value->second);  // of any size: it is stored already
    }
  }
  if (*count > kMostElements) {
    return std::nullopt;
  }
  const bool asks_type = node.op == "Shape" || node.op == "Size";
  const std::optional<Numbers> numbers = node.op == "Constant" ? FoldConstant(node)
                                         : asks_type
                                             ? FoldTypeQuestion(node, inputs.at(0)->type.shape)
                                             : FoldKnown(node, inputs, output, *count);
  auto data = numbers ? Encode(*numbers, output.dtype) : std::nullopt;
  if (!data || numbers->size() != *count) {
    return std::nullopt;
  }
  tensor::Tensor folded;
  folded.type = output;
  folded.data = *std::move(data);
  return folded;
}

}  // namespace assay::model
