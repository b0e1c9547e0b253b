// The functions of GraphBuilder: nodes without weights.
#include <fmt/format.h>

#include <cmath>
#include <limits>

#include "onnx/onnx-ml.pb.h"
#include "zoo/graph_builder.h"

namespace assay::zoo {

using tensor::Shape;

namespace {

constexpr double kUnbounded = std::numeric_limits<double>::infinity();

}  // namespace

Tensor GraphBuilder::Relu(const std::string& name, const Tensor& x) {
  Tensor y = Emit("Relu", name, {x}, x.shape);
  y.moments = ClipMoments(x.moments, 0, kUnbounded);
  return y;
}

Tensor GraphBuilder::Relu6(const std::string& name, const Tensor& x) {
  Tensor y =
      Emit("Clip", name, {x, Constant(name + ".min", 0.0), Constant(name + ".max", 6.0)}, x.shape);
  y.moments = ClipMoments(x.moments, 0, 6);
  return y;
}

Tensor GraphBuilder::Gelu(const std::string& name, const Tensor& x) {
  return Emit("Gelu", name, {x}, x.shape);
}

Tensor GraphBuilder::GeluTanh(const std::string& name, const Tensor& x) {
  return Emit("Gelu", name, {x}, x.shape, {{"approximate", std::string("tanh")}});
}

Tensor GraphBuilder::Tanh(const std::string& name, const Tensor& x) {
  return Emit("Tanh", name, {x}, x.shape);
}

Tensor GraphBuilder::Silu(const std::string& name, const Tensor& x) {
  Tensor y = Mul(name, x, Sigmoid(name + ".sigmoid", x));
  y.moments = SiluMoments(x.moments);
  return y;
}

Tensor GraphBuilder::HardSwish(const std::string& name, const Tensor& x) {
  Tensor y = Emit("HardSwish", name, {x}, x.shape);
  y.moments = HardSwishMoments(x.moments);
  return y;
}

Tensor GraphBuilder::Sigmoid(const std::string& name, const Tensor& x) {
  Tensor y = Emit("Sigmoid", name, {x}, x.shape);
  y.moments = SigmoidMoments(x.moments);
  return y;
}

Tensor GraphBuilder::HardSigmoid(const std::string& name, const Tensor& x) {
  constexpr double kSlope = 1.0 / 6;
  Tensor y = Emit("HardSigmoid", name, {x}, x.shape, {{"alpha", kSlope}, {"beta", 0.5}});
  // As if nothing were clipped: only beyond 3 it is.
  y.moments = {0.5 + kSlope * x.moments.mean, kSlope * kSlope * x.moments.variance};
  return y;
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
  y.moments = GreatestMoments(x.moments, options.kernel * options.kernel);
  return y;
}

Tensor GraphBuilder::GlobalAveragePool(const std::string& name, const Tensor& x) {
  Tensor y = Emit("GlobalAveragePool", name, {x}, {x.shape[0], x.shape[1], 1, 1});
  y.moments.variance /= static_cast<double>(x.shape[2] * x.shape[3]);  // as of independent values
  return y;
}

Tensor GraphBuilder::Add(const std::string& name, const Tensor& a, const Tensor& b) {
  Tensor y = Emit("Add", name, {a, b}, a.shape);
  y.moments = {a.moments.mean + b.moments.mean, a.moments.variance + b.moments.variance};
  return y;
}

Tensor GraphBuilder::Mul(const std::string& name, const Tensor& a, const Tensor& b) {
  Tensor y = Emit("Mul", name, {a, b}, b.shape);
  y.moments = ProductMoments(a.moments, b.moments);
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

Tensor GraphBuilder::OneMinus(const std::string& name, const Tensor& x) {
  return Emit("Sub", name, {Constant(name + ".one", 1.0), x}, x.shape);
}

Tensor GraphBuilder::ToFloat(const std::string& name, const Tensor& x) {
  return Emit("Cast", name, {x}, x.shape, {{"to", std::int64_t{onnx::TensorProto::FLOAT}}});
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

Tensor GraphBuilder::Concat(const std::string& name, const std::vector<Tensor>& parts,
                            std::int64_t axis) {
  const auto at = static_cast<std::size_t>(axis);
  Shape shape = parts.front().shape;
  shape[at] = 0;
  double sum = 0;
  double squares = 0;
  for (const Tensor& part : parts) {
    const auto size = static_cast<double>(part.shape[at]);
    const Moments& one = part.moments;
    shape[at] += part.shape[at];
    sum += size * one.mean;
    squares += size * (one.variance + one.mean * one.mean);
  }
  Tensor y = Emit("Concat", name, parts, shape, {{"axis", axis}});
  const double mean = sum / static_cast<double>(shape[at]);
  y.moments = {mean, squares / static_cast<double>(shape[at]) - mean * mean};
  return y;
}

Tensor GraphBuilder::Upsample2d(const std::string& name, const Tensor& x) {
  const Tensor none;  // no region of interest
  const Tensor scales = Constant(name + ".scales", std::vector<double>{1, 1, 2, 2});
  return Emit("Resize", name, {x, none, scales},
              {x.shape[0], x.shape[1], 2 * x.shape[2], 2 * x.shape[3]},
              {{"mode", std::string("nearest")},
               {"coordinate_transformation_mode", std::string("asymmetric")},
               {"nearest_mode", std::string("floor")}});
}

Tensor GraphBuilder::Integers(const std::string& name, const std::vector<std::int64_t>& values) {
  Tensor made = Constant(name, values);
  made.shape = {static_cast<std::int64_t>(values.size())};
  return made;
}

Tensor GraphBuilder::CausalMask(const std::string& name, std::int64_t length) {
  const double lowest = std::numeric_limits<float>::lowest();
  const Tensor full = Expand(name + ".full", Constant(name + ".lowest", lowest), {length, length});
  return Emit("Trilu", name, {full, Constant(name + ".above", std::int64_t{1})}, full.shape);
}

Tensor GraphBuilder::Select(const std::string& name, const Tensor& x, std::int64_t axis,
                            std::int64_t index) {
  Shape shape = x.shape;
  shape.erase(shape.begin() + axis);
  return Emit("Gather", name, {x, Constant(name + ".index", index)}, shape, {{"axis", axis}});
}

}  // namespace assay::zoo
