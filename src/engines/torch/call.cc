#include "engines/torch/call.h"

#include <ATen/ScalarOps.h>
#include <ATen/core/List.h>
#include <ATen/core/jit_type.h>
#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include "engines/torch/convert.h"

namespace assay::engine_torch {
namespace {

std::string NameOf(const aten::Call& call) {
  const std::string overload = call.overload.empty() ? "" : "." + call.overload;
  return fmt::format("{}{} (node '{}')", call.op, overload, call.node);
}

Error Misfit(const aten::Call& call, const std::string& what) {
  return {Code::kMalformed, fmt::format("{}: {}", NameOf(call), what), ""};
}

c10::TypePtr WithoutOptional(const c10::TypePtr& type) {
  const auto optional = type->cast<c10::OptionalType>();
  return optional ? optional->getElementType() : type;
}

c10::MemoryFormat FormatOf(aten::MemoryFormat format) {
  switch (format) {
    case aten::MemoryFormat::kContiguous:
      return c10::MemoryFormat::Contiguous;
    case aten::MemoryFormat::kChannelsLast:
      return c10::MemoryFormat::ChannelsLast;
    case aten::MemoryFormat::kChannelsLast3d:
      return c10::MemoryFormat::ChannelsLast3d;
    case aten::MemoryFormat::kPreserve:
      break;
  }
  return c10::MemoryFormat::Preserve;
}

/// A number where a tensor is wanted (x * 0.5), as PyTorch's Python binding passes it: its type
/// does not decide the result's.
at::Tensor WrappedNumber(const at::Scalar& number) {
  at::Tensor tensor = at::scalar_to_tensor(number);
  tensor.unsafeGetTensorImpl()->set_wrapped_number(true);
  return tensor;
}

/// The IValue of an argument that is no value of the program.
struct Literal {
  at::ScalarType precision;

  c10::IValue operator()(const aten::Default&) const { return {}; }
  c10::IValue operator()(const aten::ValueRef&) const { return {}; }
  c10::IValue operator()(const aten::ValueRefs&) const { return {}; }
  c10::IValue operator()(bool value) const { return value; }
  c10::IValue operator()(std::int64_t value) const { return value; }
  c10::IValue operator()(double value) const { return value; }
  c10::IValue operator()(const std::string& value) const { return value; }
  c10::IValue operator()(const std::vector<std::int64_t>& value) const { return value; }
  c10::IValue operator()(const std::vector<double>& value) const { return value; }
  c10::IValue operator()(const aten::DTypeArg& value) const {
    return static_cast<std::int64_t>(CastType(value.dtype, precision));
  }
  c10::IValue operator()(const aten::DeviceArg&) const { return c10::Device(c10::kCPU); }
  c10::IValue operator()(aten::MemoryFormat value) const {
    return static_cast<std::int64_t>(FormatOf(value));
  }
};

Status AddDefault(const aten::Call& call, const c10::Argument& parameter, ResolvedCall& resolved) {
  if (parameter.default_value().has_value()) {
    resolved.arguments.push_back(*parameter.default_value());
  } else if (parameter.type()->kind() == c10::TypeKind::OptionalType) {
    resolved.arguments.emplace_back();
  } else {
    return Misfit(call, fmt::format("parameter '{}' has no default", parameter.name()));
  }
  return {};
}

Status AddValue(const aten::Call& call, const c10::Argument& parameter, aten::ValueId value,
                ResolvedCall& resolved) {
  if (WithoutOptional(parameter.type())->kind() != c10::TypeKind::TensorType) {
    return Misfit(call, fmt::format("parameter '{}' is {}, given a tensor", parameter.name(),
                                    parameter.type()->str()));
  }
  resolved.places.push_back({resolved.arguments.size(), value});
  resolved.arguments.emplace_back();
  return {};
}

Status AddValues(const aten::Call& call, const c10::Argument& parameter,
                 const aten::ValueRefs& refs, ResolvedCall& resolved) {
  const auto list = WithoutOptional(parameter.type())->cast<c10::ListType>();
  if (!list || WithoutOptional(list->getElementType())->kind() != c10::TypeKind::TensorType) {
    return Misfit(call, fmt::format("parameter '{}' is {}, given tensors", parameter.name(),
                                    parameter.type()->str()));
  }
  const bool optional = list->getElementType()->kind() == c10::TypeKind::OptionalType;
  if (!optional && std::find(refs.ids.begin(), refs.ids.end(), aten::kHole) != refs.ids.end()) {
    return Misfit(call, fmt::format("parameter '{}' takes no None", parameter.name()));
  }
  resolved.list_places.push_back({resolved.arguments.size(), refs.ids, optional});
  resolved.arguments.emplace_back();
  return {};
}

Status AddLiteral(const aten::Call& call, const c10::Argument& parameter,
                  const aten::Argument& argument, at::ScalarType precision,
                  ResolvedCall& resolved) {
  c10::IValue literal = std::visit(Literal{precision}, argument);
  if (literal.isInt() && WithoutOptional(parameter.type())->kind() == c10::TypeKind::FloatType) {
    literal = static_cast<double>(literal.toInt());
  }
  if (literal.isIntList() && literal.toIntVector().empty()) {  // [] of any element type
    const auto list = WithoutOptional(parameter.type())->cast<c10::ListType>();
    if (list && list->getElementType()->kind() == c10::TypeKind::FloatType) {
      literal = std::vector<double>();
    }
  }
  if (WithoutOptional(parameter.type())->kind() == c10::TypeKind::TensorType &&
      (literal.isScalar() || literal.isBool())) {
    resolved.arguments.emplace_back(WrappedNumber(literal.toScalar()));
    return {};
  }
  // A Scalar may be a boolean, which the type system of TorchScript does not count as a number.
  const bool flag =
      literal.isBool() && WithoutOptional(parameter.type())->kind() == c10::TypeKind::NumberType;
  if (!flag && !literal.type<c10::Type>()->isSubtypeOf(*parameter.type())) {
    return Misfit(call, fmt::format("parameter '{}' is {}, given {}", parameter.name(),
                                    parameter.type()->str(), literal.type<c10::Type>()->str()));
  }
  resolved.arguments.push_back(std::move(literal));
  return {};
}

Status AddArgument(const aten::Call& call, const c10::Argument& parameter,
                   const aten::Argument& argument, at::ScalarType precision,
                   ResolvedCall& resolved) {
  if (std::holds_alternative<aten::Default>(argument)) {
    return AddDefault(call, parameter, resolved);
  }
  if (const auto* ref = std::get_if<aten::ValueRef>(&argument)) {
    return AddValue(call, parameter, ref->id, resolved);
  }
  if (const auto* refs = std::get_if<aten::ValueRefs>(&argument)) {
    return AddValues(call, parameter, *refs, resolved);
  }
  return AddLiteral(call, parameter, argument, precision, resolved);
}

}  // namespace

Result<ResolvedCall> Resolve(const aten::Call& call, at::ScalarType precision) {
  const auto op = c10::Dispatcher::singleton().findSchema({call.op, call.overload});
  if (!op) {
    return Error{Code::kUnsupported, fmt::format("this PyTorch has no operator {}", NameOf(call)),
                 ""};
  }
  ResolvedCall resolved{.op = *op,
                        .arguments = {},
                        .places = {},
                        .list_places = {},
                        .results = call.results,
                        .frees = call.frees};
  const c10::FunctionSchema& schema = op->schema();
  const auto& parameters = schema.arguments();
  if (call.arguments.size() > parameters.size()) {
    return Misfit(call, fmt::format("takes {} arguments, given {}", parameters.size(),
                                    call.arguments.size()));
  }
  resolved.arguments.reserve(parameters.size());
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    const aten::Argument argument =
        i < call.arguments.size() ? call.arguments[i] : aten::Argument(aten::Default{});
    ASSAY_TRY(AddArgument(call, parameters[i], argument, precision, resolved));
  }
  const auto& returns = schema.returns();
  resolved.returns_list =
      returns.size() == 1 && returns[0].type()->kind() == c10::TypeKind::ListType;
  if (!resolved.returns_list && call.results.size() > returns.size()) {
    return Misfit(call,
                  fmt::format("has {} results, {} taken", returns.size(), call.results.size()));
  }
  return resolved;
}

}  // namespace assay::engine_torch
