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

std::int64_t Window(std::int64_t size, std::int64_t kernel, std::int64_t stride,
                    std::int64_t padding) {
  return (size + 2 * padding - kernel) / stride + 1;
}

void SetType(onnx::ValueInfoProto& value, const std::string& name, const Shape& shape) {
  value.set_name(name);
  value.mutable_type()->mutable_tensor_type()->set_elem_type(onnx::TensorProto::FLOAT);
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

struct GraphBuilder::State {
  onnx::ModelProto model;
  std::vector<tensor::Declared> weights;
  std::vector<Initial> initials;
  std::map<std::string, Filters> filters;  // by the convolution's result

  onnx::GraphProto& graph() { return *model.mutable_graph(); }
};

GraphBuilder::GraphBuilder(const std::string& name) : state_(std::make_unique<State>()) {
  state_->model.set_ir_version(kIrVersion);
  state_->model.set_producer_name("assay");
  state_->model.add_opset_import()->set_version(kOpset);
  state_->graph().set_name(name);
}

GraphBuilder::~GraphBuilder() = default;

Tensor GraphBuilder::Input(Shape shape) {
  SetType(*state_->graph().add_input(), "input", shape);
  return {"input", std::move(shape)};
}

Architecture GraphBuilder::Finish(const Tensor& result) && {
  for (onnx::NodeProto& node : *state_->graph().mutable_node()) {
    for (std::string& output : *node.mutable_output()) {
      output = output == result.name ? "output" : output;
    }
  }
  SetType(*state_->graph().add_output(), "output", result.shape);
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
    result.mean = inputs[0].mean;
    result.variance = inputs[0].variance;
  }
  return result;
}

Tensor GraphBuilder::Constant(const std::string& name, const model::Attribute& value) {
  const char* key = std::holds_alternative<double>(value)         ? "value_float"
                    : std::holds_alternative<std::int64_t>(value) ? "value_int"
                                                                  : "value_ints";
  return Emit("Constant", name, {}, {}, {{key, value}});
}

Tensor GraphBuilder::Parameter(const std::string& name, Shape shape, const Initial& initial) {
  state_->weights.push_back({name, {tensor::DType::kFloat32, shape}});
  state_->initials.push_back(initial);
  Tensor parameter{name, std::move(shape)};
  if (const auto* uniform = std::get_if<Uniform>(&initial)) {
    parameter.mean = uniform->center;
    parameter.variance = uniform->half_width * uniform->half_width / 3;
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
  state_->filters[y.name] = {name + ".weight", static_cast<std::uint64_t>(fan_in), drawn, x.mean,
                             x.variance};
  y.mean = 0;  // over all channels; a channel's own mean is what the norm behind takes out
  y.variance = 2 * (x.variance + x.mean * x.mean);
  return y;
}

Tensor GraphBuilder::BatchNorm2d(const std::string& name, const Tensor& x,
                                 const NormOptions& options) {
  const Shape channels = {x.shape[1]};
  const Filters& before = state_->filters.at(x.name);
  const FilterSums mean = {before.weight, before.size, before.drawn, false, before.input_mean, 0};
  const FilterSums variance = {before.weight, before.size,           before.drawn,
                               true,          before.input_variance, 0};
  Tensor y =
      Emit("BatchNormalization", name,
           {x, Parameter(name + ".weight", channels, Uniform{static_cast<float>(options.gamma), 0}),
            Parameter(name + ".bias", channels, Uniform{static_cast<float>(options.beta), 0}),
            Parameter(name + ".running_mean", channels, mean),
            Parameter(name + ".running_var", channels, variance)},
           x.shape, {{"epsilon", 1e-5}});
  y.mean = options.beta;
  y.variance = options.gamma * options.gamma;
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

Tensor GraphBuilder::LayerNorm(const std::string& name, const Tensor& x) {
  const Shape features = {x.shape.back()};
  Tensor y = Emit("LayerNormalization", name,
                  {x, Parameter(name + ".weight", features, Uniform{1, 0.1F}),
                   Parameter(name + ".bias", features, kBias)},
                  x.shape, {{"axis", std::int64_t{-1}}, {"epsilon", 1e-6}});
  y.mean = 0;
  y.variance = 1;
  return y;
}

// Mean and variance are passed on as if nothing were clipped: exact ones need erf from libm, whose
// bits differ between machines. The norms behind see a mean that is off by 0.2 of the scale.
Tensor GraphBuilder::Relu(const std::string& name, const Tensor& x) {
  return Emit("Relu", name, {x}, x.shape);
}

Tensor GraphBuilder::Relu6(const std::string& name, const Tensor& x) {
  return Emit("Clip", name, {x, Constant(name + ".min", 0.0), Constant(name + ".max", 6.0)},
              x.shape);
}

Tensor GraphBuilder::Gelu(const std::string& name, const Tensor& x) {
  return Emit("Gelu", name, {x}, x.shape);
}

Tensor GraphBuilder::Softmax(const std::string& name, const Tensor& x) {
  return Emit("Softmax", name, {x}, x.shape, {{"axis", std::int64_t{-1}}});
}

Tensor GraphBuilder::MaxPool2d(const std::string& name, const Tensor& x,
                               const PoolOptions& options) {
  const auto size = [&](std::int64_t in) {
    return Window(in, options.kernel, options.stride, options.padding);
  };
  Tensor y =
      Emit("MaxPool", name, {x}, {x.shape[0], x.shape[1], size(x.shape[2]), size(x.shape[3])},
           {{"kernel_shape", std::vector<std::int64_t>(2, options.kernel)},
            {"strides", std::vector<std::int64_t>(2, options.stride)},
            {"pads", std::vector<std::int64_t>(4, options.padding)}});
  // The greatest of nine (four) independent normal values: mean and variance in units of theirs.
  // Source  Teichroew, Annals of Mathematical Statistics 27 (1956), tables of order statistics.
  const bool nine = options.kernel == 3;
  y.mean = x.mean + (nine ? 1.485 : 1.029) * std::sqrt(x.variance);
  y.variance = (nine ? 0.357 : 0.492) * x.variance;
  return y;
}

Tensor GraphBuilder::GlobalAveragePool(const std::string& name, const Tensor& x) {
  return Emit("GlobalAveragePool", name, {x}, {x.shape[0], x.shape[1], 1, 1});
}

Tensor GraphBuilder::Add(const std::string& name, const Tensor& a, const Tensor& b) {
  Tensor y = Emit("Add", name, {a, b}, a.shape);
  y.mean = a.mean + b.mean;
  y.variance = a.variance + b.variance;
  return y;
}

Tensor GraphBuilder::MatMul(const std::string& name, const Tensor& a, const Tensor& b) {
  Shape shape = a.shape;
  shape.back() = b.shape.back();
  return Emit("MatMul", name, {a, b}, shape);
}

Tensor GraphBuilder::Scale(const std::string& name, const Tensor& x, double factor) {
  return Emit("Mul", name, {x, Constant(name + ".factor", factor)}, x.shape);
}

Tensor GraphBuilder::Flatten(const std::string& name, const Tensor& x) {
  const Shape rest(x.shape.begin() + 1, x.shape.end());
  const auto elements = static_cast<std::int64_t>(*tensor::ElementCount(rest));
  return Emit("Flatten", name, {x}, {x.shape[0], elements}, {{"axis", std::int64_t{1}}});
}

Tensor GraphBuilder::Reshape(const std::string& name, const Tensor& x, const Shape& shape) {
  return Emit("Reshape", name, {x, Constant(name + ".shape", shape)}, shape);
}

Tensor GraphBuilder::Transpose(const std::string& name, const Tensor& x,
                               const std::vector<std::int64_t>& order) {
  Shape shape;
  for (const std::int64_t axis : order) {
    shape.push_back(x.shape[static_cast<std::size_t>(axis)]);
  }
  return Emit("Transpose", name, {x}, shape, {{"perm", order}});
}

Tensor GraphBuilder::Expand(const std::string& name, const Tensor& x, const Shape& shape) {
  return Emit("Expand", name, {x, Constant(name + ".shape", shape)}, shape);
}

Tensor GraphBuilder::Concat(const std::string& name, const Tensor& a, const Tensor& b,
                            std::int64_t axis) {
  Shape shape = a.shape;
  shape[static_cast<std::size_t>(axis)] += b.shape[static_cast<std::size_t>(axis)];
  return Emit("Concat", name, {a, b}, shape, {{"axis", axis}});
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
    results.push_back({fmt::format("{}.{}", name, i), shape, x.mean, x.variance});
    node.add_output(results.back().name);
  }
  return results;
}

Tensor GraphBuilder::Select(const std::string& name, const Tensor& x, std::int64_t axis,
                            std::int64_t index) {
  Shape shape = x.shape;
  shape.erase(shape.begin() + axis);
  return Emit("Gather", name, {x, Constant(name + ".index", index)}, shape, {{"axis", axis}});
}

}  // namespace assay::zoo
