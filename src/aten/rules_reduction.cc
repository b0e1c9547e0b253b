// Reductions along axes, and what runs along one axis.
#include <algorithm>
#include <array>
#include <string>

#include "aten/axes.h"
#include "aten/constants.h"
#include "aten/rules.h"

namespace assay::aten {
namespace {

/// A reduction as up to three calls: a function of each element, the reduction, a function of
/// each result.
struct Reduction {
  std::string_view onnx;
  std::string_view before;
  std::string_view aten;
  std::string_view overload;
  std::string_view after;
};

constexpr auto kReductions = std::to_array<Reduction>({
    {"ReduceLogSum", "", "sum", "dim_IntList", "log"},
    {"ReduceLogSumExp", "", "logsumexp", "", ""},
    {"ReduceMax", "", "amax", "", ""},
    {"ReduceMean", "", "mean", "dim", ""},
    {"ReduceMin", "", "amin", "", ""},
    {"ReduceSum", "", "sum", "dim_IntList", ""},
    {"ReduceSumSquare", "square", "sum", "dim_IntList", ""},
});

struct Span {
  Integers64 axes;
  bool keeps = true;
  bool is_nothing = false;  // no axes, and the node asks to leave its input as it is then
};

Result<Span> ReadSpan(const Lowering& lowering, const model::Node& node) {
  const std::int64_t rank = lowering.Rank(node.inputs[0]);
  const model::ValueId operand = lowering.Operand(1);
  if (operand != model::kNone && !lowering.Ints(operand)) {
    return lowering.Unsupported("axes that are no constants");
  }
  Span span{AxesOf(lowering, node, 1, rank).value_or(Integers64{}), node.Int("keepdims", 1) != 0};
  if (span.axes.empty()) {
    span.is_nothing = node.Int("noop_with_empty_axes", 0) != 0;
    span.axes = AxesFrom(0, rank);
  }
  return span;
}

/// Sums and products of small integers are int64 in PyTorch unless it is told otherwise.
Argument ResultType(const Lowering& lowering, const model::Node& node) {
  const tensor::DType dtype = lowering.Value(node.outputs[0]).type.dtype;
  const bool as_it_is = lowering.IsFloat(node.outputs[0]) || dtype == tensor::DType::kInt64;
  return as_it_is ? Argument(Default{}) : Argument(DTypeArg{dtype});
}

bool IsEmpty(const Lowering& lowering, model::ValueId id) {
  return std::ranges::count(lowering.Shape(id), 0) > 0;
}

Integers64 SpatialAxes(const Lowering& lowering, model::ValueId id) {
  return AxesFrom(2, lowering.Rank(id));
}

Status EmitNorm(Lowering& lowering, const model::Node& node, double order, Integers64 axes,
                bool keeps) {
  if (!lowering.IsFloat(node.inputs[0])) {
    return lowering.Unsupported("PyTorch's vector norm takes floating-point elements only");
  }
  return lowering.Finish(
      "aten::linalg_vector_norm", "",
      WithoutDefaults({lowering.Tensor(node.inputs[0]), order, std::move(axes), keeps}, {false}));
}

}  // namespace

Status LowerReduce(Lowering& lowering, const model::Node& node) {
  ASSAY_ASSIGN(Span span, ReadSpan(lowering, node));
  const auto& form = *std::ranges::find(kReductions, node.op, &Reduction::onnx);
  if (span.is_nothing) {
    return form.before.empty() && form.after.empty() && node.op != "ReduceLogSumExp"
               ? LowerIdentity(lowering, node)
               : lowering.Unsupported("no axes to reduce");
  }
  if ((form.aten == "amax" || form.aten == "amin") && IsEmpty(lowering, node.inputs[0])) {
    return lowering.Unsupported("PyTorch has no extremum of no elements");
  }
  Argument value = lowering.Tensor(node.inputs[0]);
  if (!form.before.empty()) {
    value = ValueRef{lowering.Emit("aten::" + std::string(form.before), "", {value})};
  }
  const Argument dtype = form.aten == "sum" ? ResultType(lowering, node) : Argument(Default{});
  value = ValueRef{lowering.Emit(
      "aten::" + std::string(form.aten), std::string(form.overload),
      WithoutDefaults({value, std::move(span.axes), span.keeps, dtype}, {false, Default{}}))};
  if (!form.after.empty()) {
    value = ValueRef{lowering.Emit("aten::" + std::string(form.after), "", {value})};
  }
  lowering.Bind(node.outputs[0], std::get<ValueRef>(value).id);
  return {};
}

Status LowerReduceProd(Lowering& lowering, const model::Node& node) {
  ASSAY_ASSIGN(const Span span, ReadSpan(lowering, node));
  ValueId made = lowering.TensorId(node.inputs[0]);
  if (span.is_nothing) {
    return LowerIdentity(lowering, node);
  }
  // prod takes one dimension; from the last on, so that the others keep their number.
  for (auto axis = span.axes.rbegin(); axis != span.axes.rend(); ++axis) {
    made = lowering.Emit(
        "aten::prod", "dim_int",
        WithoutDefaults({ValueRef{made}, *axis, span.keeps, ResultType(lowering, node)},
                        {false, Default{}}));
  }
  lowering.Bind(node.outputs[0], made);
  return {};
}

Status LowerReduceNorm(Lowering& lowering, const model::Node& node) {
  ASSAY_ASSIGN(Span span, ReadSpan(lowering, node));
  if (span.is_nothing) {
    return lowering.Unsupported("no axes to reduce");
  }
  const double order = node.op == "ReduceL1" ? 1.0 : 2.0;
  return EmitNorm(lowering, node, order, std::move(span.axes), span.keeps);
}

Status LowerGlobalLpPool(Lowering& lowering, const model::Node& node) {
  return EmitNorm(lowering, node, static_cast<double>(node.Int("p", 2)),
                  SpatialAxes(lowering, node.inputs[0]), true);
}

/// As F.normalize, which keeps the norm from being 0.
Status LowerLpNormalization(Lowering& lowering, const model::Node& node) {
  const Argument input = lowering.Tensor(node.inputs[0]);
  const auto order = static_cast<double>(node.Int("p", 2));
  const ValueId norm = lowering.Emit("aten::linalg_vector_norm", "",
                                     {input, order, Integers64{node.Int("axis", -1)}, true});
  const ValueId divisor = lowering.Emit("aten::clamp_min", "", {ValueRef{norm}, 1e-12});
  return lowering.Finish("aten::div", "Tensor", {input, ValueRef{divisor}});
}

Status LowerArgExtremum(Lowering& lowering, const model::Node& node) {
  if (node.Int("select_last_index", 0) != 0) {
    return lowering.Unsupported("PyTorch takes the first of equal elements");
  }
  return lowering.Finish(node.op == "ArgMax" ? "aten::argmax" : "aten::argmin", "",
                         WithoutDefaults({lowering.Tensor(node.inputs[0]), node.Int("axis", 0),
                                          node.Int("keepdims", 1) != 0},
                                         {false}));
}

Status LowerTopK(Lowering& lowering, const model::Node& node) {
  const std::int64_t axis = node.Int("axis", -1);
  const model::ValueId shown = node.outputs[0] == model::kNone ? node.outputs[1] : node.outputs[0];
  const std::vector<ValueId> made = lowering.EmitSeveral(
      "aten::topk", "",
      WithoutDefaults({lowering.Tensor(node.inputs[0]), SizeAlong(lowering, shown, axis), axis,
                       node.Int("largest", 1) != 0, node.Int("sorted", 1) != 0},
                      {std::int64_t{-1}, true, true}),
      2);
  for (std::size_t i = 0; i < node.outputs.size(); ++i) {
    lowering.Bind(node.outputs[i], made[i]);
  }
  return {};
}

Status LowerCumulative(Lowering& lowering, const model::Node& node) {
  const auto axes = lowering.Ints(lowering.Operand(1));
  if (!axes || axes->size() != 1) {
    return lowering.Unsupported("an axis that is no constant");
  }
  const bool sums = node.op == "CumSum";
  const bool reversed = node.Int("reverse", 0) != 0;
  const std::int64_t rank = lowering.Rank(node.inputs[0]);
  const std::int64_t axis = FromFront(axes->front(), rank);
  if (axis < 0 || axis >= rank) {
    return lowering.Unsupported("an axis that the input lacks");
  }
  Argument value = lowering.Tensor(node.inputs[0]);
  if (reversed) {
    value = ValueRef{lowering.Emit("aten::flip", "", {value, Integers64{axis}})};
  }
  if (node.Int("exclusive", 0) != 0) {  // one element later: a neutral one in, the last one out
    Integers64 amounts(static_cast<std::size_t>(2 * (rank - axis)), 0);
    amounts[amounts.size() - 2] = 1;
    amounts[amounts.size() - 1] = -1;
    value =
        ValueRef{lowering.Emit("aten::constant_pad_nd", "",
                               {value, amounts, lowering.Scalar(node.inputs[0], sums ? 0 : 1)})};
  }
  value = ValueRef{
      lowering.Emit(sums ? "aten::cumsum" : "aten::cumprod", "",
                    WithoutDefaults({value, axis, ResultType(lowering, node)}, {Default{}}))};
  if (reversed) {
    value = ValueRef{lowering.Emit("aten::flip", "", {value, Integers64{axis}})};
  }
  lowering.Bind(node.outputs[0], std::get<ValueRef>(value).id);
  return {};
}

}  // namespace assay::aten
