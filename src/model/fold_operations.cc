#include "model/fold_operations.h"

#include <algorithm>
#include <cmath>
#include <map>

namespace assay::model {
namespace {

using tensor::DType;
using tensor::Shape;

bool IsInteger(DType dtype) { return dtype != DType::kFloat32 && dtype != DType::kFloat64; }

/// Row-major coordinates of element `flat`.
Shape Coordinates(std::size_t flat, const Shape& shape) {
  Shape at(shape.size());
  for (std::size_t axis = shape.size(); axis-- > 0;) {
    const auto size = static_cast<std::size_t>(shape[axis]);
    at[axis] = static_cast<std::int64_t>(flat % size);
    flat /= size;
  }
  return at;
}

std::size_t Flat(const Shape& at, const Shape& shape) {
  std::size_t flat = 0;
  for (std::size_t axis = 0; axis < shape.size(); ++axis) {
    flat = flat * static_cast<std::size_t>(shape[axis]) + static_cast<std::size_t>(at[axis]);
  }
  return flat;
}

/// The element of `operand` that broadcasting puts at `at` of a larger shape.
Number Broadcast(const Operand& operand, const Shape& at) {
  Shape own(operand.shape.size());
  const std::size_t ahead = at.size() - own.size();
  for (std::size_t axis = 0; axis < own.size(); ++axis) {
    own[axis] = operand.shape[axis] == 1 ? 0 : at[axis + ahead];
  }
  return operand.numbers[Flat(own, operand.shape)];
}

std::optional<std::size_t> Axis(std::int64_t axis, std::size_t rank) {
  const std::int64_t positive = axis < 0 ? axis + static_cast<std::int64_t>(rank) : axis;
  if (positive < 0 || positive >= static_cast<std::int64_t>(rank)) {
    return std::nullopt;
  }
  return static_cast<std::size_t>(positive);
}

/// For each output element, what `element` makes of its coordinates.
Numbers ForEach(const FoldCall& call, const std::function<Number(const Shape&)>& element) {
  Numbers result(call.count);
  for (std::size_t i = 0; i < call.count; ++i) {
    result[i] = element(Coordinates(i, call.out.shape));
  }
  return result;
}

FoldOperation Unary(Number (*apply)(Number)) {
  return [apply](const FoldCall& call) {
    Numbers result = call.in[0].numbers;
    std::transform(result.begin(), result.end(), result.begin(), apply);
    return result;
  };
}

FoldOperation Binary(Number (*apply)(Number, Number)) {
  return [apply](const FoldCall& call) -> std::optional<Numbers> {
    if (call.in.size() != 2) {
      return std::nullopt;
    }
    return ForEach(call, [&](const Shape& at) {
      return apply(Broadcast(call.in[0], at), Broadcast(call.in[1], at));
    });
  };
}

std::optional<Numbers> SameElements(const FoldCall& call) { return call.in[0].numbers; }

std::optional<Numbers> Cast(const FoldCall& call) {
  Numbers result = call.in[0].numbers;
  for (Number& number : result) {
    if (call.out.dtype == DType::kBool) {
      number = number != 0 ? 1 : 0;
    } else if (IsInteger(call.out.dtype)) {
      number = std::trunc(number);
    }
  }
  return result;
}

std::optional<Numbers> Divide(const FoldCall& call) {
  const bool integer = IsInteger(call.out.dtype);
  const Numbers& divisors = call.in[1].numbers;
  if (integer && std::find(divisors.begin(), divisors.end(), 0) != divisors.end()) {
    return std::nullopt;
  }
  return ForEach(call, [&](const Shape& at) {
    const Number quotient = Broadcast(call.in[0], at) / Broadcast(call.in[1], at);
    return integer ? std::trunc(quotient) : quotient;
  });
}

std::optional<Numbers> ConstantOfShape(const FoldCall& call) {
  const auto value = call.node.attributes.find("value");
  Number fill = 0;
  if (value != call.node.attributes.end()) {
    const auto* tensor = std::get_if<tensor::Tensor>(&value->second);
    const auto numbers = tensor == nullptr ? std::nullopt : Decode(*tensor);
    if (!numbers || numbers->size() != 1) {
      return std::nullopt;
    }
    fill = numbers->front();
  }
  return Numbers(call.count, fill);
}

std::optional<Numbers> Expand(const FoldCall& call) {
  return ForEach(call, [&](const Shape& at) { return Broadcast(call.in[0], at); });
}

std::optional<Numbers> Where(const FoldCall& call) {
  return ForEach(call, [&](const Shape& at) {
    return Broadcast(call.in[0], at) != 0 ? Broadcast(call.in[1], at) : Broadcast(call.in[2], at);
  });
}

std::optional<Numbers> Concat(const FoldCall& call) {
  const auto axis = Axis(call.node.Int("axis", 0), call.out.shape.size());
  if (!axis) {
    return std::nullopt;
  }
  return ForEach(call, [&](Shape at) {
    std::size_t part = 0;
    while (at[*axis] >= call.in[part].shape[*axis]) {
      at[*axis] -= call.in[part++].shape[*axis];
    }
    return call.in[part].numbers[Flat(at, call.in[part].shape)];
  });
}

std::optional<Numbers> Gather(const FoldCall& call) {
  const Operand& data = call.in[0];
  const Operand& indices = call.in[1];
  const auto axis = Axis(call.node.Int("axis", 0), data.shape.size());
  if (!axis) {
    return std::nullopt;
  }
  const auto size = static_cast<Number>(data.shape[*axis]);
  for (const Number index : indices.numbers) {
    if (index < -size || index >= size) {
      return std::nullopt;
    }
  }
  const auto split = static_cast<std::ptrdiff_t>(*axis);
  const auto rank = static_cast<std::ptrdiff_t>(indices.shape.size());
  return ForEach(call, [&](const Shape& at) {
    const Shape which(at.begin() + split, at.begin() + split + rank);
    const Number index = indices.numbers[Flat(which, indices.shape)];
    Shape from(at.begin(), at.begin() + split);
    from.push_back(static_cast<std::int64_t>(index < 0 ? index + size : index));
    from.insert(from.end(), at.begin() + split + rank, at.end());
    return data.numbers[Flat(from, data.shape)];
  });
}

std::optional<Numbers> Slice(const FoldCall& call) {
  const Operand& data = call.in[0];
  const std::vector<std::int64_t> starts = call.Ints("starts", 1);
  std::vector<std::int64_t> axes = call.Ints("axes", 3);
  std::vector<std::int64_t> steps = call.Ints("steps", 4);
  for (std::size_t i = axes.size(); i < starts.size(); ++i) {
    axes.push_back(static_cast<std::int64_t>(i));
  }
  steps.resize(starts.size(), 1);
  Shape begin(data.shape.size(), 0);
  Shape step(data.shape.size(), 1);
  for (std::size_t i = 0; i < starts.size(); ++i) {
    const auto axis = Axis(axes[i], data.shape.size());
    if (!axis || steps[i] == 0) {
      return std::nullopt;
    }
    const std::int64_t size = data.shape[*axis];
    const std::int64_t start =
        starts[i] < 0 ? std::max(starts[i], -size) + size : std::min(starts[i], size);
    begin[*axis] = std::min(start, steps[i] < 0 ? size - 1 : size);
    step[*axis] = steps[i];
  }
  return ForEach(call, [&](Shape at) {
    for (std::size_t axis = 0; axis < at.size(); ++axis) {
      at[axis] = begin[axis] + at[axis] * step[axis];
    }
    return data.numbers[Flat(at, data.shape)];
  });
}

std::optional<Numbers> Range(const FoldCall& call) {
  Numbers result(call.count);
  for (std::size_t i = 0; i < result.size(); ++i) {
    result[i] = call.in[0].numbers[0] + static_cast<Number>(i) * call.in[2].numbers[0];
  }
  return result;
}

std::optional<Numbers> Transpose(const FoldCall& call) {
  const Shape& shape = call.in[0].shape;
  std::vector<std::int64_t> order = call.node.Ints("perm");
  for (std::size_t i = 0; order.size() < shape.size(); ++i) {
    order.push_back(static_cast<std::int64_t>(shape.size() - 1 - i));
  }
  return ForEach(call, [&](const Shape& at) {
    Shape from(at.size());
    for (std::size_t axis = 0; axis < at.size(); ++axis) {
      from[static_cast<std::size_t>(order[axis])] = at[axis];
    }
    return call.in[0].numbers[Flat(from, shape)];
  });
}

std::optional<Numbers> ReduceProduct(const FoldCall& call) {
  if (call.count != 1) {
    return std::nullopt;
  }
  Number product = 1;
  for (const Number number : call.in[0].numbers) {
    product *= number;
  }
  return Numbers{product};
}

}  // namespace

std::vector<std::int64_t> FoldCall::Ints(std::string_view attribute, std::size_t input) const {
  if (!Has(input)) {
    return node.Ints(attribute);
  }
  std::vector<std::int64_t> values;
  for (const Number number : in[input].numbers) {
    values.push_back(static_cast<std::int64_t>(number));
  }
  return values;
}

const FoldOperation* FindFoldOperation(std::string_view op) {
  static const std::map<std::string_view, FoldOperation> kOperations = {
      {"Identity", SameElements},
      {"Reshape", SameElements},
      {"Squeeze", SameElements},
      {"Unsqueeze", SameElements},
      {"Flatten", SameElements},
      {"Cast", Cast},
      {"ConstantOfShape", ConstantOfShape},
      {"Expand", Expand},
      {"Where", Where},
      {"Concat", Concat},
      {"Gather", Gather},
      {"Slice", Slice},
      {"Range", Range},
      {"Transpose", Transpose},
      {"ReduceProd", ReduceProduct},
      {"Div", Divide},
      {"Add", Binary([](Number a, Number b) { return a + b; })},
      {"Sub", Binary([](Number a, Number b) { return a - b; })},
      {"Mul", Binary([](Number a, Number b) { return a * b; })},
      {"Max", Binary([](Number a, Number b) { return std::max(a, b); })},
      {"Min", Binary([](Number a, Number b) { return std::min(a, b); })},
      {"Equal", Binary([](Number a, Number b) { return Number(a == b); })},
      {"Less", Binary([](Number a, Number b) { return Number(a < b); })},
      {"LessOrEqual", Binary([](Number a, Number b) { return Number(a <= b); })},
      {"Greater", Binary([](Number a, Number b) { return Number(a > b); })},
      {"GreaterOrEqual", Binary([](Number a, Number b) { return Number(a >= b); })},
      {"And", Binary([](Number a, Number b) { return Number(a != 0 && b != 0); })},
      {"Or", Binary([](Number a, Number b) { return Number(a != 0 || b != 0); })},
      {"Not", Unary([](Number a) { return Number(a == 0); })},
      {"Neg", Unary([](Number a) { return -a; })},
      {"Abs", Unary([](Number a) { return a < 0 ? -a : a; })},
      {"Floor", Unary([](Number a) { return std::floor(a); })},
      {"Ceil", Unary([](Number a) { return std::ceil(a); })},
      {"Sqrt", Unary([](Number a) { return std::sqrt(a); })},
  };
  const auto found = kOperations.find(op);
  return found == kOperations.end() ? nullptr : &found->second;
}

}  // namespace assay::model
