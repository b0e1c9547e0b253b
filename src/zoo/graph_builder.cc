#include "zoo/graph_builder.h"

#include <fmt/format.h>

#include <cmath>

#include "onnx/onnx-ml.pb.h"

namespace assay::zoo {
namespace {

using tensor::Shape;

constexpr std::int64_t kOpset = 20;
constexpr std::int64_t kIrVersion = 9;  // the one that came with opset 20

// Small and random, not zero: a runtime that dropped a bias or swapped two must not go unnoticed.
constexpr Uniform kBias = {0, 0.05F};

void SetType(onnx::ValueInfoProto& value, const std::string& name, const Shape& shape,
             tensor::DType dtype = tensor::DType::kFloat32) {
  value.set_name(name);
  value.mutable_type()->mutable_tensor_type()->set_elem_type(
      dtype == tensor::DType::kInt64 ? onnx::TensorProto::INT64 : onnx::TensorProto::FLOAT);
  for (const std::int64_t dimension : shape) {
    value.mutable_type()->mutable_tensor_type()->mutable_shape()->add_dim()->set_dim_value(
        dimension);
  }
}

void SetAttribute(onnx::AttributeProto& proto, const std::string& name,
                  const model::Attribute& value) {
  proto.set_name(name);
  if (const auto* integer = std::get_if<std::int64_t>(&value)) {
    proto.set_type(onnx::AttributeProto::INT);
    proto.set_i(*integer);
  } else if (const auto* number = std::get_if<double>(&value)) {
    proto.set_type(onnx::AttributeProto::FLOAT);
    proto.set_f(static_cast<float>(*number));
  } else if (const auto* integers = std::get_if<std::vector<std::int64_t>>(&value)) {
    proto.set_type(onnx::AttributeProto::INTS);
    proto.mutable_ints()->Add(integers->begin(), integers->end());
  } else if (const auto* numbers = std::get_if<std::vector<double>>(&value)) {
    proto.set_type(onnx::AttributeProto::FLOATS);
    proto.mutable_floats()->Add(numbers->begin(), numbers->end());
  } else if (const auto* text = std::get_if<std::string>(&value)) {
    proto.set_type(onnx::AttributeProto::STRING);
    proto.set_s(*text);
  }
}

void SetExternal(onnx::TensorProto& proto, const tensor::Entry& entry) {
  proto.set_name(entry.name);
  proto.set_data_type(onnx::TensorProto::FLOAT);
  proto.mutable_dims()->Add(entry.type.shape.begin(), entry.type.shape.end());
  proto.set_data_location(onnx::TensorProto::EXTERNAL);
  const auto add = [&](const char* key, const std::string& value) {
    onnx::StringStringEntryProto* pair = proto.add_external_data();
    pair->set_key(key);
    pair->set_value(value);
  };
  add("location", kWeightsFile);
  add("offset", std::to_string(entry.offset));
  add("length", std::to_string(entry.bytes));
}

}  // namespace

std::int64_t Window(std::int64_t size, std::int64_t kernel, std::int64_t stride,
                    std::int64_t padding) {
  return (size + 2 * padding - kernel) / stride + 1;
}

struct GraphBuilder::State {
  onnx::ModelProto model;
  std::vector<tensor::Declared> weights;
  std::vector<Initial> initials;
  std::map<std::string, Filters> filters;      // by the convolution's result
  std::map<std::string, std::string> renamed;  // results that become outputs

  onnx::GraphProto& graph() { return *model.mutable_graph(); }
};

GraphBuilder::GraphBuilder(const std::string& name) : state_(std::make_unique<State>()) {
  state_->model.set_ir_version(kIrVersion);
  state_->model.set_producer_name("assay");
  state_->model.add_opset_import()->set_version(kOpset);
  state_->graph().set_name(name);
}

GraphBuilder::~GraphBuilder() = default;

Tensor GraphBuilder::Input(const std::string& name, Shape shape, tensor::DType dtype) {
  SetType(*state_->graph().add_input(), name, shape, dtype);
  return {name, std::move(shape)};
}

void GraphBuilder::Output(const std::string& name, const Tensor& result) {
  SetType(*state_->graph().add_output(), name, result.shape);
  state_->renamed[result.name] = name;
}

Architecture GraphBuilder::Finish() && {
  const auto rename = [this](auto* names) {
    for (std::string& name : *names) {
      const auto output = state_->renamed.find(name);
      name = output == state_->renamed.end() ? name : output->second;
    }
  };
  for (onnx::NodeProto& node : *state_->graph().mutable_node()) {
    rename(node.mutable_input());
    rename(node.mutable_output());
  }
  for (const tensor::Entry& entry : tensor::LayOut(state_->weights)) {
    SetExternal(*state_->graph().add_initializer(), entry);
  }
  return {state_->model.SerializeAsString(), std::move(state_->weights),
          std::move(state_->initials)};
}

Tensor GraphBuilder::Emit(const std::string& op, const std::string& name,
                          const std::vector<Tensor>& inputs, Shape shape,
                          const Attributes& attributes) {
  onnx::NodeProto& node = *state_->graph().add_node();
  node.set_op_type(op);
  node.set_name(name);
  for (const Tensor& input : inputs) {
    node.add_input(input.name);
  }
  node.add_output(name);
  for (const auto& [key, value] : attributes) {
    SetAttribute(*node.add_attribute(), key, value);
  }
  Tensor result{name, std::move(shape)};
  if (!inputs.empty()) {  // layers that change them say so afterwards
    result.moments = inputs[0].moments;
  }
  return result;
}

std::vector<Tensor> GraphBuilder::Split(const std::string& name, const Tensor& x, std::int64_t axis,
                                        std::int64_t parts) {
  Shape shape = x.shape;
  shape[static_cast<std::size_t>(axis)] /= parts;
  Emit("Split", name, {x}, shape, {{"axis", axis}, {"num_outputs", parts}});
  onnx::NodeProto& node = *state_->graph().mutable_node()->rbegin();
  node.clear_output();
  std::vector<Tensor> results;
  for (std::int64_t i = 0; i < parts; ++i) {
    results.push_back({fmt::format("{}.{}", name, i), shape, x.moments});
    node.add_output(results.back().name);
  }
  return results;
}

Tensor GraphBuilder::Constant(const std::string& name, const model::Attribute& value) {
  const char* key = std::holds_alternative<double>(value)                ? "value_float"
                    : std::holds_alternative<std::int64_t>(value)        ? "value_int"
                    : std::holds_alternative<std::vector<double>>(value) ? "value_floats"
                                                                         : "value_ints";
  return Emit("Constant", name, {}, {}, {{key, value}});
}

Tensor GraphBuilder::Parameter(const std::string& name, Shape shape, const Initial& initial) {
  state_->weights.push_back({name, {tensor::DType::kFloat32, shape}});
  state_->initials.push_back(initial);
  Tensor parameter{name, std::move(shape)};
  if (const auto* uniform = std::get_if<Uniform>(&initial)) {
    parameter.moments = {uniform->center, uniform->half_width * uniform->half_width / 3};
  }
  return parameter;
}

Tensor GraphBuilder::Conv2d(const std::string& name, const Tensor& x, const ConvOptions& options) {
  const std::int64_t kernel = options.kernel;
  const Shape filter = {options.out, x.shape[1] / options.groups, kernel, kernel};
  const std::int64_t fan_in = filter[1] * kernel * kernel;
  const Uniform drawn = {0, HalfWidth(2, fan_in)};
  std::vector<Tensor> inputs = {x, Parameter(name + ".weight", filter, drawn)};
  if (options.bias) {
    inputs.push_back(Parameter(name + ".bias", {options.out}, kBias));
  }
  const auto size = [&](std::int64_t in) {
    return Window(in, kernel, options.stride, options.padding);
  };
  Tensor y =
      Emit("Conv", name, inputs, {x.shape[0], options.out, size(x.shape[2]), size(x.shape[3])},
           {{"kernel_shape", std::vector<std::int64_t>(2, kernel)},
            {"strides", std::vector<std::int64_t>(2, options.stride)},
            {"pads", std::vector<std::int64_t>(4, options.padding)},
            {"dilations", std::vector<std::int64_t>(2, 1)},
            {"group", options.groups}});
  state_->filters[y.name] = {name + ".weight", static_cast<std::uint64_t>(fan_in), drawn,
                             x.moments};
  // Mean over all channels; a channel's own mean is what the norm behind takes out.
  y.moments = {0, 2 * (x.moments.variance + x.moments.mean * x.moments.mean)};
  return y;
}

Tensor GraphBuilder::BatchNorm2d(const std::string& name, const Tensor& x,
                                 const NormOptions& options) {
  const Shape channels = {x.shape[1]};
  const Filters& before = state_->filters.at(x.name);
  const FilterSums mean = {before.weight, before.size, before.drawn, false, before.input.mean, 0};
  const FilterSums variance = {before.weight, before.size,           before.drawn,
                               true,          before.input.variance, 0};
  Attributes attributes = {{"epsilon", options.epsilon}};
  if (options.momentum != NormOptions{}.momentum) {
    attributes["momentum"] = 1 - options.momentum;  // ONNX's is the share of the old statistics
  }
  Tensor y =
      Emit("BatchNormalization", name,
           {x, Parameter(name + ".weight", channels, Uniform{static_cast<float>(options.gamma), 0}),
            Parameter(name + ".bias", channels, Uniform{static_cast<float>(options.beta), 0}),
            Parameter(name + ".running_mean", channels, mean),
            Parameter(name + ".running_var", channels, variance)},
           x.shape, attributes);
  y.moments = {options.beta, options.gamma * options.gamma};
  return y;
}

Tensor GraphBuilder::Affine(const std::string& name, const Tensor& weight, const Tensor& bias,
                            const Tensor& x) {
  Shape shape = x.shape;
  shape.back() = weight.shape[0];
  if (x.shape.size() == 2) {
    return Emit("Gemm", name, {x, weight, bias}, shape, {{"transB", std::int64_t{1}}});
  }
  const Tensor turned = Transpose(name + ".transpose", weight, {1, 0});
  return Add(name, MatMul(name + ".matmul", x, turned), bias);
}

Tensor GraphBuilder::Linear(const std::string& name, const Tensor& x, std::int64_t out,
                            double gain_squared) {
  const std::int64_t in = x.shape.back();
  const Uniform drawn = {0, HalfWidth(gain_squared, in)};
  const Tensor weight = Parameter(name + ".weight", {out, in}, drawn);
  const Tensor bias = Parameter(name + ".bias", {out}, kBias);
  return Affine(name, weight, bias, x);
}

Tensor GraphBuilder::InProjection(const std::string& name, const Tensor& x, double gain_squared) {
  const std::int64_t in = x.shape.back();
  const Uniform drawn = {0, HalfWidth(gain_squared, in)};
  const Tensor weight = Parameter(name + ".in_proj_weight", {3 * in, in}, drawn);
  const Tensor bias = Parameter(name + ".in_proj_bias", {3 * in}, kBias);
  return Affine(name + ".in_proj", weight, bias, x);
}

Tensor GraphBuilder::Conv1D(const std::string& name, const Tensor& x, std::int64_t out,
                            double gain_squared) {
  const std::int64_t in = x.shape.back();
  const Tensor weight =
      Parameter(name + ".weight", {in, out}, Uniform{0, HalfWidth(gain_squared, in)});
  const Tensor bias = Parameter(name + ".bias", {out}, kBias);
  return Add(name, MatMul(name + ".matmul", x, weight), bias);
}

Tensor GraphBuilder::Embedding(const std::string& name, const Tensor& weight, const Tensor& ids) {
  Shape shape = ids.shape;
  shape.push_back(weight.shape[1]);
  return Emit("Gather", name, {weight, ids}, shape, {{"axis", std::int64_t{0}}});
}

Tensor GraphBuilder::LayerNorm(const std::string& name, const Tensor& x, double epsilon) {
  const Shape features = {x.shape.back()};
  Tensor y = Emit("LayerNormalization", name,
                  {x, Parameter(name + ".weight", features, Uniform{1, 0.1F}),
                   Parameter(name + ".bias", features, kBias)},
                  x.shape, {{"axis", std::int64_t{-1}}, {"epsilon", epsilon}});
  y.moments = {0, 1};
  return y;
}

Tensor GraphBuilder::LayerNorm2d(const std::string& name, const Tensor& x) {
  const Tensor last = Transpose(name + ".channels_last", x, {0, 2, 3, 1});
  return Transpose(name + ".channels_first", LayerNorm(name, last), {0, 3, 1, 2});
}

}  // namespace assay::zoo
