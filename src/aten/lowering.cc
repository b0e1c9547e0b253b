#include "aten/lowering.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "aten/constants.h"
#include "base/text.h"

namespace assay::aten {
namespace {

constexpr std::size_t kForEver = std::numeric_limits<std::size_t>::max();

template <typename Container, typename Id>
decltype(auto) At(Container& container, Id id) {
  return container[static_cast<std::size_t>(id)];
}

/// By value: the index of the last node that reads it, kForEver for outputs.
std::vector<std::size_t> LastUses(const model::Graph& graph) {
  std::vector<std::size_t> last(graph.values.size(), 0);
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
    for (const model::ValueId id : graph.nodes[i].inputs) {
      if (id != model::kNone) {
        At(last, id) = i;
      }
    }
  }
  for (const model::ValueId id : graph.outputs) {
    At(last, id) = kForEver;
  }
  return last;
}

void ForEachValue(const Argument& argument, auto visit) {
  if (const auto* ref = std::get_if<ValueRef>(&argument)) {
    visit(ref->id);
  } else if (const auto* refs = std::get_if<ValueRefs>(&argument)) {
    std::for_each(refs->ids.begin(), refs->ids.end(), visit);
  }
}

/// Fills Call::frees: from the end, the first call that names a value is its last use.
void FindLastUses(Program& program) {
  std::vector<bool> kept(static_cast<std::size_t>(program.value_count), false);
  const auto keep = [&](const auto& entries) {
    for (const auto& entry : entries) {
      At(kept, entry.id) = true;
    }
  };
  keep(program.inputs);
  keep(program.weights);
  keep(program.constants);
  keep(program.outputs);
  for (auto call = program.calls.rbegin(); call != program.calls.rend(); ++call) {
    const auto free = [&](ValueId id) {
      if (!At(kept, id)) {
        At(kept, id) = true;
        call->frees.push_back(id);
      }
    };
    for (const Argument& argument : call->arguments) {
      ForEachValue(argument, free);
    }
    std::for_each(call->results.begin(), call->results.end(), free);
    std::sort(call->frees.begin(), call->frees.end());
  }
}

}  // namespace

Lowering::Lowering(const model::Graph& graph)
    : graph_(graph), bound_(graph.values.size(), -1), last_use_(LastUses(graph)) {
  program_.name = graph.name;
  for (const model::ValueId id : graph.inputs) {
    const ValueId made = NewValue(-1);
    At(fixed_, made) = true;
    program_.inputs.push_back({made, Value(id).name, Value(id).type});
    Bind(id, made);
  }
}

void Lowering::Begin(std::size_t index) { index_ = index; }

const model::Value& Lowering::Value(model::ValueId id) const { return At(graph_.values, id); }

std::int64_t Lowering::Rank(model::ValueId id) const {
  return static_cast<std::int64_t>(Shape(id).size());
}

bool Lowering::IsFloat(model::ValueId id) const { return tensor::IsFloat(Value(id).type.dtype); }

model::ValueId Lowering::Operand(std::size_t position) const {
  const auto& inputs = graph_.nodes[index_].inputs;
  return position < inputs.size() ? inputs[position] : model::kNone;
}

std::optional<Integers64> Lowering::Ints(model::ValueId id) const {
  if (id == model::kNone || !Value(id).constant) {
    return std::nullopt;
  }
  return Integers(*Value(id).constant);
}

std::optional<std::vector<double>> Lowering::Floats(model::ValueId id) const {
  if (id == model::kNone || !Value(id).constant) {
    return std::nullopt;
  }
  return aten::Floats(*Value(id).constant);
}

std::optional<double> Lowering::Number(model::ValueId id) const {
  if (id == model::kNone || !Value(id).constant) {
    return std::nullopt;
  }
  return OnlyNumber(*Value(id).constant);
}

Argument Lowering::Scalar(model::ValueId id, double number) const {
  constexpr double kBeyond = 0x1p63;  // the least that no int64 holds: limits come close to it
  if (IsFloat(id)) {
    return number;
  }
  return number >= kBeyond    ? std::numeric_limits<std::int64_t>::max()
         : number >= -kBeyond ? static_cast<std::int64_t>(number)
                              : std::numeric_limits<std::int64_t>::min();
}

bool Lowering::ComesFrom(model::ValueId second, model::ValueId first) const {
  const std::int32_t oldest = Value(first).producer;
  std::vector<model::ValueId> open = {second};
  std::vector<bool> seen(graph_.values.size(), false);
  while (!open.empty()) {
    const model::ValueId id = open.back();
    open.pop_back();
    if (id == first) {
      return true;
    }
    if (id == model::kNone || At(seen, id) || Value(id).producer <= oldest) {
      continue;
    }
    At(seen, id) = true;
    const auto& inputs = At(graph_.nodes, Value(id).producer).inputs;
    open.insert(open.end(), inputs.begin(), inputs.end());
  }
  return false;
}

bool Lowering::IsRead(model::ValueId id) const {
  return id != model::kNone && At(last_use_, id) > index_;
}

const model::Node* Lowering::MadeBy(model::ValueId id) const {
  const std::int32_t producer = Value(id).producer;
  return producer < 0 ? nullptr : &At(graph_.nodes, producer);
}

Error Lowering::Unsupported(std::string_view why) const {
  const model::Node& node = graph_.nodes[index_];
  const std::string domain = node.domain.empty() ? "" : node.domain + ".";
  return {Code::kUnsupported,
          OneLine(fmt::format("PyTorch lowering of operator {}{} (node '{}'): {}", domain, node.op,
                              node.name, why),
                  600),
          "the conversions of other runtimes read the ONNX file itself"};
}

Status Lowering::CheckOperands() const {
  for (const model::ValueId id : graph_.nodes[index_].inputs) {
    if (id == model::kNone || At(bound_, id) >= 0 || Value(id).constant) {
      continue;
    }
    if (!Value(id).weight || Value(id).weight->file.empty()) {
      return Unsupported(fmt::format("operand '{}' has no data", Value(id).name));
    }
  }
  return {};
}

Status Lowering::CheckResults() const {
  for (const model::ValueId id : graph_.nodes[index_].outputs) {
    if (IsRead(id) && At(bound_, id) < 0) {
      return Unsupported(fmt::format("its output '{}' has no counterpart", Value(id).name));
    }
  }
  return {};
}

Argument Lowering::Tensor(model::ValueId id) {
  return id == model::kNone ? Argument(Default{}) : Argument(ValueRef{TensorId(id)});
}

ValueId Lowering::TensorId(model::ValueId id) {
  if (At(bound_, id) < 0) {
    const model::Value& value = Value(id);
    if (value.weight && !value.weight->file.empty()) {
      Bind(id, AddWeight(value));
    } else if (value.constant) {
      tensor::Tensor tensor = *value.constant;
      tensor.name = value.name;
      Bind(id, std::get<ValueRef>(Constant(std::move(tensor))).id);
    }
  }
  return At(bound_, id);
}

Argument Lowering::Constant(tensor::Tensor tensor) {
  const ValueId made = NewValue(-1);
  At(fixed_, made) = true;
  program_.constants.push_back({made, std::move(tensor)});
  return ValueRef{made};
}

ValueId Lowering::AddWeight(const model::Value& value) {
  const ValueId made = NewValue(-1);
  At(fixed_, made) = true;
  program_.weights.push_back({made, value.weight->tensor_name, value.weight->file, value.type});
  return made;
}

ValueId Lowering::NewValue(ValueId storage) {
  const ValueId made = program_.value_count++;
  owner_.push_back(storage < 0 ? made : At(owner_, storage));
  storage_last_use_.push_back(0);
  fixed_.push_back(false);
  return made;
}

ValueId Lowering::Emit(std::string op, std::string overload, Arguments arguments, Storage storage) {
  return EmitSeveral(std::move(op), std::move(overload), std::move(arguments), 1, storage).front();
}

std::vector<ValueId> Lowering::EmitSeveral(std::string op, std::string overload,
                                           Arguments arguments, std::size_t count,
                                           Storage storage) {
  const bool own = storage == Storage::kOwn;
  std::vector<ValueId> made;
  for (std::size_t i = 0; i < count; ++i) {
    made.push_back(NewValue(own ? -1 : std::get<ValueRef>(arguments.front()).id));
  }
  if (op == "aten::expand") {  // several elements of it may be the same memory
    At(fixed_, At(owner_, made.front())) = true;
  }
  program_.calls.push_back({std::move(op),
                            std::move(overload),
                            std::move(arguments),
                            made,
                            {},
                            graph_.nodes[index_].name});
  return made;
}

Status Lowering::Finish(std::string op, std::string overload, Arguments arguments,
                        Storage storage) {
  Bind(graph_.nodes[index_].outputs[0],
       Emit(std::move(op), std::move(overload), std::move(arguments), storage));
  return {};
}

void Lowering::Bind(model::ValueId id, ValueId made) {
  if (id == model::kNone) {
    return;
  }
  At(bound_, id) = made;
  std::size_t& last = At(storage_last_use_, At(owner_, made));
  last = std::max(last, At(last_use_, id));
}

bool Lowering::MayOverwrite(model::ValueId id) const {
  const ValueId made = At(bound_, id);
  if (made < 0 || Value(id).type != Value(graph_.nodes[index_].outputs[0]).type) {
    return false;
  }
  const ValueId owner = At(owner_, made);
  return !At(fixed_, owner) && At(storage_last_use_, owner) <= index_;
}

Status Lowering::BindOutputs() {
  for (const model::ValueId id : graph_.outputs) {
    const ValueId made = TensorId(id);
    if (made < 0) {
      return Error{
          Code::kUnsupported,
          OneLine(fmt::format("output '{}' is computed by nothing that has a PyTorch lowering",
                              Value(id).name)),
          ""};
    }
    program_.outputs.push_back({made, Value(id).name, Value(id).type});
  }
  return {};
}

std::vector<model::ValueId> Lowering::Origins() const {
  std::vector<model::ValueId> origins(static_cast<std::size_t>(program_.value_count), model::kNone);
  for (std::size_t id = 0; id < bound_.size(); ++id) {
    if (bound_[id] >= 0 && At(origins, bound_[id]) == model::kNone) {
      At(origins, bound_[id]) = static_cast<model::ValueId>(id);
    }
  }
  return origins;
}

Program Lowering::Take() && {
  FindLastUses(program_);
  return std::move(program_);
}

Arguments WithoutDefaults(Arguments arguments, const Arguments& defaults) {
  for (auto expected = defaults.rbegin(); expected != defaults.rend(); ++expected) {
    if (arguments.back() != *expected) {
      break;
    }
    arguments.pop_back();
  }
  return arguments;
}

}  // namespace assay::aten
