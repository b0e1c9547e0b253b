#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>
#include <utility>

#include "base/text.h"
#include "model/count.h"
#include "view/listing.h"

namespace assay::view {
namespace {

using Type = std::optional<tensor::Type>;

std::size_t Index(std::int32_t id) { return static_cast<std::size_t>(id); }

/// "conv2d" for "aten::conv2d".
std::string_view NameOf(const aten::Call& call) {
  std::string_view name = call.op;
  if (const auto colons = name.rfind("::"); colons != std::string_view::npos) {
    name.remove_prefix(colons + 2);
  }
  return name;
}

std::string Number(double number) {
  const std::string text = fmt::format("{:.17g}", number);
  for (const int digits : {6, 9, 15}) {
    std::string shorter = fmt::format("{:.{}g}", number, digits);
    if (std::stod(shorter) == number || !std::isfinite(number)) {
      return shorter.find_first_of(".en") == std::string::npos ? shorter + ".0" : shorter;
    }
  }
  return text;
}

/// A literal as Python writes it.
struct LiteralText {
  std::string operator()(const aten::Default&) const { return "None"; }
  std::string operator()(const aten::ValueRef&) const { return ""; }
  std::string operator()(const aten::ValueRefs&) const { return ""; }
  std::string operator()(bool flag) const { return flag ? "True" : "False"; }
  std::string operator()(std::int64_t number) const { return std::to_string(number); }
  std::string operator()(double number) const { return Number(number); }
  std::string operator()(const std::string& text) const { return fmt::format("'{}'", text); }
  std::string operator()(const std::vector<std::int64_t>& numbers) const {
    return fmt::format("[{}]", fmt::join(numbers, ", "));
  }
  std::string operator()(const std::vector<double>& numbers) const {
    std::vector<std::string> texts;
    std::transform(numbers.begin(), numbers.end(), std::back_inserter(texts), Number);
    return fmt::format("[{}]", Join(texts, ", "));
  }
  std::string operator()(const aten::DTypeArg& argument) const {
    return std::string(tensor::Name(argument.dtype));
  }
  std::string operator()(const aten::DeviceArg&) const { return "cpu"; }
  std::string operator()(aten::MemoryFormat format) const { return std::string(Name(format)); }
};

std::vector<Argument> ArgumentsOf(const aten::Call& call) {
  std::vector<Argument> arguments;
  for (const aten::Argument& argument : call.arguments) {
    if (const auto* ref = std::get_if<aten::ValueRef>(&argument)) {
      arguments.push_back({ref->id});
    } else if (const auto* refs = std::get_if<aten::ValueRefs>(&argument)) {
      for (const aten::ValueId id : refs->ids) {
        arguments.push_back(id == aten::kHole ? Argument{-1, "None"} : Argument{id});
      }
    } else {
      arguments.push_back({-1, std::visit(LiteralText{}, argument)});
    }
  }
  return arguments;
}

std::optional<tensor::Shape> Broadcast(const tensor::Shape& a, const tensor::Shape& b) {
  tensor::Shape shape(std::max(a.size(), b.size()), 1);
  for (std::size_t i = 0; i < shape.size(); ++i) {  // from the last axis
    const std::int64_t x = i < a.size() ? a[a.size() - 1 - i] : 1;
    const std::int64_t y = i < b.size() ? b[b.size() - 1 - i] : 1;
    if (x != y && x != 1 && y != 1) {
      return std::nullopt;
    }
    shape[shape.size() - 1 - i] = x == 1 ? y : x;
  }
  return shape;
}

/// Type of a result that stands for no value of the graph; nothing when its operator is none of
/// those that the rules put before or after another.
Type Inferred(std::string_view op, const std::vector<Type>& operands) {
  static const std::set<std::string_view> kKeep = {"abs",   "sigmoid",   "round", "reciprocal",
                                                   "clamp", "clamp_min", "flip",  "zeros_like"};
  static const std::set<std::string_view> kBroadcast = {"add", "sub", "mul", "div"};
  if (operands.empty() || !operands[0]) {
    return std::nullopt;
  }
  tensor::Type type = *operands[0];
  if (op == "t") {
    std::reverse(type.shape.begin(), type.shape.end());
    return type;
  }
  if (kKeep.contains(op)) {
    return type;
  }
  if (!kBroadcast.contains(op)) {
    return std::nullopt;
  }
  if (operands.size() > 1 && operands[1]) {
    const auto shape = Broadcast(type.shape, operands[1]->shape);
    return shape && operands[1]->dtype == type.dtype ? Type({type.dtype, *shape}) : std::nullopt;
  }
  return type;
}

/// Fills `items` with the program's values.
void AddItems(const aten::Lowered& lowered, std::vector<Item>& items) {
  const aten::Program& program = lowered.program;
  const std::vector<std::uint64_t> parameters = model::ParametersByValue(lowered.graph);
  for (aten::ValueId id = 0; id < program.value_count; ++id) {
    Item item{Kind::kResult, fmt::format("%{}", id), std::nullopt};
    const model::ValueId origin = lowered.origins[Index(id)];
    if (origin != model::kNone) {
      const model::Value& value = lowered.graph.values[Index(origin)];
      item.type = value.type;
      item.alias = value.name;
      item.parameters = parameters[Index(origin)];
    }
    items.push_back(std::move(item));
  }
  for (const aten::Input& input : program.inputs) {
    items[Index(input.id)] = {Kind::kInput, input.name, input.type, fmt::format("%{}", input.id)};
  }
  for (const aten::Weight& weight : program.weights) {
    Item& item = items[Index(weight.id)];
    item.kind = Kind::kWeight;
    item.name = weight.tensor;
    item.type = weight.type;
  }
  for (const aten::Input& output : program.outputs) {
    items[Index(output.id)].type = output.type;
  }
  for (const aten::Constant& constant : program.constants) {
    Item& item = items[Index(constant.id)];
    item.kind = item.parameters > 0 ? Kind::kWeight : Kind::kConstant;
    item.name =
        constant.tensor.name.empty() ? fmt::format("c{}", constant.id) : constant.tensor.name;
    item.type = constant.tensor.type;
  }
}

std::string RemarkOn(const aten::Call& call, const std::vector<Item>& items) {
  std::vector<std::string> parts;
  if (IsInPlace(call.op)) {
    parts.push_back("in place");
  }
  std::vector<std::string> last;
  for (const aten::ValueId id : call.frees) {
    const bool own = std::count(call.results.begin(), call.results.end(), id) > 0;
    (own ? parts : last)
        .push_back(own ? fmt::format("{} is read by nobody", items[Index(id)].name)
                       : items[Index(id)].name);
  }
  if (!last.empty()) {
    parts.push_back("last use of " + Join(last, ", "));
  }
  return Join(parts, "; ");
}

/// As conv's and linear's weights, `type` without its first dimension.
std::uint64_t AfterFirst(const tensor::Type& type) {
  return type.shape.empty() ? 0 : *tensor::ElementCount({type.shape.begin() + 1, type.shape.end()});
}

}  // namespace

bool IsInPlace(std::string_view op) { return op.ends_with('_') && !op.ends_with("__"); }

std::uint64_t MultiplyAdds(std::string_view op, const std::vector<Type>& arguments,
                           const Type& result) {
  const auto known = [&](std::size_t i) { return i < arguments.size() && arguments[i]; };
  const auto inner = [&](std::size_t i) -> std::uint64_t {
    const bool has = known(i) && !arguments[i]->shape.empty();
    return has ? static_cast<std::uint64_t>(arguments[i]->shape.back()) : 0;
  };
  const std::uint64_t made = result ? *tensor::ElementCount(result->shape) : 0;
  if (op.starts_with("conv_transpose")) {
    return known(0) && known(1)
               ? *tensor::ElementCount(arguments[0]->shape) * AfterFirst(*arguments[1])
               : 0;
  }
  if (op == "conv1d" || op == "conv2d" || op == "conv3d" || op == "convolution") {
    return known(1) ? made * AfterFirst(*arguments[1]) : 0;
  }
  if (op == "linear" || op == "matmul" || op == "mm" || op == "bmm") {
    return made * inner(0);
  }
  if (op == "addmm" || op == "baddbmm") {
    return made * inner(1);
  }
  if (op == "scaled_dot_product_attention" && known(0) && known(1) &&
      arguments[1]->shape.size() >= 2) {
    // query x key: its elements times the length; weights x value: the result's times the length
    const auto length = static_cast<std::uint64_t>(arguments[1]->shape.rbegin()[1]);
    return length * (*tensor::ElementCount(arguments[0]->shape) + made);
  }
  return 0;
}

Listing AtenListing(const aten::Lowered& lowered, std::string_view name) {
  const aten::Program& program = lowered.program;
  Listing listing{
      .name = std::string(name),
      .title = fmt::format("{} as the list of ATen calls that eager PyTorch makes", name),
      .step = "result",
      .origin = "node"};
  AddItems(lowered, listing.items);
  for (const aten::Call& call : program.calls) {
    std::vector<Type> operands;
    Step step{.name = "", .op = call.op, .origin = call.node, .arguments = ArgumentsOf(call)};
    for (const Argument& argument : step.arguments) {
      operands.push_back(argument.item < 0 ? Type() : listing.items[Index(argument.item)].type);
    }
    for (const aten::ValueId id : call.results) {
      Item& made = listing.items[Index(id)];
      if (!made.type) {
        made.type = Inferred(NameOf(call), operands);
      }
      step.results.push_back(id);
    }
    step.name = call.results.empty() ? fmt::format("#{}", listing.steps.size())
                                     : listing.items[Index(call.results.front())].name;
    step.op += call.overload.empty() ? "" : "." + call.overload;
    step.remark = RemarkOn(call, listing.items);
    step.macs =
        MultiplyAdds(NameOf(call), operands,
                     call.results.empty() ? Type() : listing.items[Index(call.results[0])].type);
    listing.steps.push_back(std::move(step));
  }
  for (const aten::Input& input : program.inputs) {
    listing.inputs.push_back(input.id);
  }
  for (const aten::Input& output : program.outputs) {
    listing.outputs.push_back(output.id);
  }
  listing.whole = listing.steps.size();
  listing.notes = {
      "*NAME is a weight, named as in the safetensors file beside the graph (or as the graph's "
      "initializer where it has no such file), cN a constant of the lowering. A name that ends in "
      "_ is an operator in place. A result is freed after its last use. node: the ONNX node that "
      "the call comes from; the type ? is not known before it is run."};
  return listing;
}

}  // namespace assay::view
