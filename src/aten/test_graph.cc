#include "aten/test_graph.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cstring>

#include "aten/constants.h"
#include "aten/lower.h"

namespace assay::aten {
namespace {

tensor::Tensor FloatTensor(const std::vector<float>& numbers, const tensor::Shape& shape) {
  tensor::Tensor tensor{
      "", {tensor::DType::kFloat32, shape}, std::vector<std::byte>(numbers.size() * sizeof(float))};
  std::memcpy(tensor.data.data(), numbers.data(), tensor.data.size());
  return tensor;
}

model::Value ConstantValue(tensor::Tensor tensor) {
  model::Value value;
  value.type = tensor.type;
  value.constant = std::move(tensor);
  return value;
}

class Printer {
 public:
  explicit Printer(const Program& program) : names_(static_cast<std::size_t>(program.value_count)) {
    for (std::size_t i = 0; i < names_.size(); ++i) {
      names_[i] = fmt::format("%{}", i);
    }
    for (std::size_t i = 0; i < program.inputs.size(); ++i) {
      Name(program.inputs[i].id) = fmt::format("x{}", i);
    }
    for (const Weight& weight : program.weights) {
      Name(weight.id) = weight.tensor;
    }
    for (std::size_t i = 0; i < program.constants.size(); ++i) {
      Name(program.constants[i].id) = fmt::format("c{}", i);
    }
  }

  std::string Text(const Call& call) {
    std::vector<std::string> arguments;
    for (const Argument& argument : call.arguments) {
      arguments.push_back(std::visit(*this, argument));
    }
    return fmt::format("{}{}({}) -> {}", call.op.substr(6),
                       call.overload.empty() ? "" : "." + call.overload, fmt::join(arguments, ", "),
                       Names(call.results));
  }

  std::string operator()(const Default&) { return "None"; }
  std::string operator()(const ValueRef& ref) { return Name(ref.id); }
  std::string operator()(const DeviceArg&) { return "cpu"; }
  std::string operator()(MemoryFormat format) { return std::string(aten::Name(format)); }
  std::string operator()(const ValueRefs& refs) { return "(" + Names(refs.ids) + ")"; }
  std::string operator()(const std::string& text) { return "'" + text + "'"; }
  std::string operator()(const DTypeArg& argument) {
    return std::string(tensor::Name(argument.dtype));
  }
  std::string operator()(double number) { return Json(number).dump(); }
  std::string operator()(const auto& other) { return fmt::format("{}", other); }

 private:
  std::string& Name(ValueId id) { return names_[static_cast<std::size_t>(id)]; }
  std::string Names(const std::vector<ValueId>& ids) {
    std::vector<std::string> names;
    for (const ValueId id : ids) {
      names.push_back(Name(id));
    }
    return fmt::format("{}", fmt::join(names, ", "));
  }

  std::vector<std::string> names_;
};

}  // namespace

TestGraph::TestGraph() {
  graph_.name = "test";
  graph_.opset = 20;
}

model::ValueId TestGraph::Add(model::Value value) {
  const auto id = static_cast<model::ValueId>(graph_.values.size());
  value.name = fmt::format("v{}", id);
  graph_.values.push_back(std::move(value));
  return id;
}

model::ValueId TestGraph::Input(const tensor::Shape& shape, tensor::DType dtype) {
  model::Value value;
  value.type = {dtype, shape};
  const model::ValueId id = Add(std::move(value));
  graph_.inputs.push_back(id);
  return id;
}

model::ValueId TestGraph::Weight(const std::string& name, const tensor::Shape& shape) {
  model::Value value;
  value.type.shape = shape;
  value.weight = model::Weight{name, "model.safetensors"};
  return Add(std::move(value));
}

model::ValueId TestGraph::Ints(const std::vector<std::int64_t>& numbers) {
  return Add(ConstantValue(IntegerTensor(numbers, {static_cast<std::int64_t>(numbers.size())})));
}

model::ValueId TestGraph::Int(std::int64_t number) {
  return Add(ConstantValue(IntegerTensor({number}, {})));
}

model::ValueId TestGraph::Number(float number) { return Numbers({number}, {}); }

model::ValueId TestGraph::Numbers(const std::vector<float>& numbers, const tensor::Shape& shape) {
  return Add(ConstantValue(FloatTensor(numbers, shape)));
}

model::ValueId TestGraph::Node(const std::string& op, const Inputs& inputs,
                               const tensor::Shape& shape, const Attributes& attributes) {
  return Node(op, inputs, std::vector<tensor::Shape>{shape}, attributes).front();
}

std::vector<model::ValueId> TestGraph::Node(const std::string& op, const Inputs& inputs,
                                            const std::vector<tensor::Shape>& shapes,
                                            const Attributes& attributes) {
  const auto index = static_cast<std::int32_t>(graph_.nodes.size());
  std::vector<model::ValueId> outputs;
  for (const tensor::Shape& shape : shapes) {
    model::Value value;
    value.type.shape = shape;
    value.producer = index;
    outputs.push_back(Add(std::move(value)));
  }
  graph_.nodes.push_back({fmt::format("node{}", index), op, "", inputs, outputs, attributes});
  return outputs;
}

std::vector<std::string> TestGraph::Calls() const {
  const Result<Program> program = Lower(graph_);
  return program.ok() ? Texts(*program) : std::vector{program.error().message};
}

std::vector<std::string> Texts(const Program& program) {
  Printer printer(program);
  std::vector<std::string> texts;
  for (const Call& call : program.calls) {
    texts.push_back(printer.Text(call));
  }
  return texts;
}

}  // namespace assay::aten
